import { setTimeout as delay } from 'node:timers/promises';
import type { Contender } from './contender.js';

/** Pause between two starts: an engine is used now and then, and a hot loop hides real costs. */
const pauseMs = 40;

/**
 * Times every contender once a round, in an order that changes from round to round, so that no one
 * profits from its place. Returns milliseconds by name.
 */
export async function measure(
  contenders: readonly Contender[],
  rounds: number,
): Promise<Map<string, number[]>> {
  const samples = new Map(contenders.map((contender) => [contender.name, [] as number[]]));
  for (const contender of contenders) await contender.run();
  for (let round = 0; round < rounds; round += 1) {
    const order = contenders.map((_, index) => contenders[(index + round) % contenders.length]);
    for (const contender of order) {
      if (contender === undefined) continue;
      await delay(pauseMs);
      const begin = performance.now();
      await contender.run();
      samples.get(contender.name)?.push(performance.now() - begin);
    }
  }
  return samples;
}
