import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from '../harness/process.js';
import { mountAt, type MountedSnapshot } from './mounted.js';
import { newKey, type Subject } from './subject.js';

const READERS = 50;

/** What it costs in page cache that many containers read the same file of their image. */
export interface CacheFigure {
  readonly readers: number;
  /** Bytes by which the page cache grew. */
  readonly cacheBytes: number;
  /** Share of what as many copies would take that was not taken, 0 to 1. */
  readonly saved: number;
}

/** Has containers of one layer read the same file, all mounted at once. */
export async function measurePageCache(
  subject: Subject,
  { layer, file, bytes }: { layer: string; file: string; bytes: number },
  work: string,
): Promise<CacheFigure> {
  const mounted: MountedSnapshot[] = [];
  for (let index = 0; index < READERS; index += 1) {
    const mounts = await subject.client.prepare(newKey(subject), layer, subject.labels);
    mounted.push(await mountAt(mounts, work));
  }
  capture('sync', []);
  writeFileSync('/proc/sys/vm/drop_caches', '3');
  const before = cachedBytes();
  for (const { root } of mounted) readFileSync(join(root, file));
  const cacheBytes = cachedBytes() - before;
  for (const each of mounted) await each.unmount();
  return { readers: READERS, cacheBytes, saved: 1 - cacheBytes / (bytes * READERS) };
}

function cachedBytes(): number {
  const line = /^Cached:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'));
  return Number(line?.[1] ?? Number.NaN) * 1024;
}
