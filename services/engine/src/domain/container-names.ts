import { randomInt } from 'node:crypto';

/** First halves of generated names. */
const ADJECTIVES = (
  'amber azure brave breezy bright brisk calm candid cheery clever coastal copper coral crisp daring deep ' +
  'eager early easy fair famous fast fine firm fleet fond free fresh gentle glad golden grand happy hardy ' +
  'hearty honest humble ivory jolly keen kind lively loyal lucid lucky mellow merry mild misty neat nimble ' +
  'noble open patient placid plucky polite proud quick quiet ready robust rustic salty sharp shiny silver ' +
  'sleek smooth snug solid sound spry stable steady stout sturdy sunny swift tall tidy tranquil true upbeat ' +
  'vivid warm wise witty young zesty'
).split(' ');

/** Second halves: what sails, carries, or stands at a harbour. */
const NOUNS = (
  'anchor barge barque beacon berth boat boom bosun bow bridge brig buoy cable canal canoe capstan captain ' +
  'cargo catamaran clipper coaster cog compass coracle crane crate crew current cutter davit deck dhow dinghy ' +
  'dock dory drifter estuary ferry fleet freighter frigate galleon galley gangway gantry gull harbour hatch ' +
  'haven hawser helm hold hull jetty junk kayak keel ketch lagoon lantern lighter lighthouse lock lugger mast ' +
  'mooring oar packet pennant pier pilot pinnace port prow punt quay raft reef rigging rudder sail schooner ' +
  'sextant skiff skipper sloop spar stern stevedore tanker tender tide tiller trawler tug wharf wherry winch yawl'
).split(' ');

/**
 * Makes up a name for a container that nobody named.
 * @param isTaken tells whether a name is in use.
 */
export function generateContainerName(isTaken: (name: string) => boolean): string {
  for (let attempt = 0; ; attempt += 1) {
    const name = `${pick(ADJECTIVES)}_${pick(NOUNS)}`;
    // After some collisions a number makes room, however many containers there are.
    const candidate = attempt < 4 ? name : `${name}${randomInt(10 ** Math.min(attempt, 9))}`;
    if (!isTaken(candidate)) return candidate;
  }
}

function pick(words: readonly string[]): string {
  return words[randomInt(words.length)] ?? 'nameless';
}
