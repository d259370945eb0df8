import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { median, quantile } from '../harness/statistics.js';
import { mountAt } from './mounted.js';
import { newKey, type Subject } from './subject.js';

/** From nothing to the first byte read of a container's root, in milliseconds. */
export interface ReadyFigure {
  readonly p50: number;
  readonly p90: number;
}

/** Times Prepare, the mounts (by mount(8), a process each) and reading one file. */
export async function measureReadyRoot(
  subject: Subject,
  image: string,
  rounds: number,
  work: string,
): Promise<ReadyFigure> {
  const times: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const key = newKey(subject);
    const begin = performance.now();
    const mounted = await mountAt(await subject.client.prepare(key, image, subject.labels), work);
    readFileSync(join(mounted.root, 'etc/os-release'));
    times.push(performance.now() - begin);
    await mounted.unmount();
    await subject.client.remove(key);
  }
  return { p50: median(times), p90: quantile(times, 0.9) };
}
