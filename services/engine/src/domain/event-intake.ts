import { consumeEvents, type EventConsumer, type Events } from '@teu/events';
import type { EngineParts } from './engine-parts.js';

/** Under a steady load of starts an event waits this long at most. */
const LONGEST_WAIT_MS = 50;

/**
 * Takes the events of the other services into the engine's journal, so that its clients see everything in one
 * order. Duplicates are told apart by their ids; with NATS away it waits.
 */
export function takeInEvents(
  { journal, log, activity }: Pick<EngineParts, 'journal' | 'log' | 'activity'>,
  events: Events,
  durable: string,
): EventConsumer {
  return consumeEvents({
    events,
    log,
    durable,
    handle: async ({ event, payload }) => {
      // Events of an engine, this one's or another's, are in its own journal already.
      if (event.source === 'engine' || event.id === '') return;
      // Each costs a write to disk, which would come in the way of a start.
      await activity.whenQuiet(LONGEST_WAIT_MS);
      journal.ingest({ eventId: event.id, payload });
    },
  });
}
