import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from '../harness/process.js';
import { table } from '../harness/statistics.js';
import { measureDisk } from './disk.js';
import { withMounted } from './mounted.js';
import { measurePageCache } from './page-cache.js';
import { measureReadyRoot } from './ready-root.js';
import { makeLayer, type Subject } from './subject.js';
import { measureUntouched } from './untouched.js';
import { measureWrites, SMALL_FILES } from './writes.js';

const MEBIBYTE = 2 ** 20;
const READ_BYTES = 50 * MEBIBYTE;
const BIG_BYTES = 200 * MEBIBYTE;

/**
 * Measures what a union file system is chosen for: disk and page cache that containers share, time to
 * a ready root, an image that nobody's writes reach; and what that costs those who write. Subjects one
 * by one. How long an upgrade takes is measured with whole engines: see upgrade-effect.ts.
 *
 * @returns The tables to print.
 */
export async function measureFiveThings(
  subjects: readonly Subject[],
  rootfsTar: string,
  rounds: number,
  work: string,
): Promise<string> {
  const shared: string[][] = [];
  const written: string[][] = [];
  for (const subject of subjects) {
    const before = subject.filesystem.usedBytes();
    const image = await imageOf(subject, rootfsTar, work);
    const imageBytes = subject.filesystem.usedBytes() - before;
    const disk = await measureDisk(subject, image, imageBytes, work);
    const ready = await measureReadyRoot(subject, image, rounds, work);
    const untouched = await measureUntouched(subject, image, work);
    const layer = await layerOfBigFiles(subject, work);
    const cache = await measurePageCache(subject, { layer, file: 'read', bytes: READ_BYTES }, work);
    const writes = await measureWrites(subject, { layer, file: 'big' }, work);
    shared.push([
      subject.name,
      mebibytes(disk.imageBytes),
      mebibytes(disk.containerBytes),
      String(disk.containers),
      percent(disk.saved),
      ready.p50.toFixed(1),
      ready.p90.toFixed(1),
      mebibytes(cache.cacheBytes),
      percent(cache.saved),
      untouched.before === untouched.after ? `same ${untouched.after.slice(7, 15)}` : 'CHANGED',
    ]);
    const times = [writes.firstWrite, writes.create, writes.remove];
    written.push([subject.name, ...times.map((ms) => ms.toFixed(1))]);
  }
  const head = ['image MiB', 'containers MiB', 'of them', 'disk saved', 'ready root ms', 'p90'];
  const more = ['50 read 50 MiB, cache MiB', 'memory saved', 'image after writes'];
  const costs = ['first write to 200 MiB, ms', `create ${SMALL_FILES}, ms`, 'delete, ms'];
  return `${table([['', ...head, ...more], ...shared])}\n\n${table([['', ...costs], ...written])}`;
}

async function imageOf(subject: Subject, rootfsTar: string, work: string): Promise<string> {
  return makeLayer(subject, async (mounts) => {
    await withMounted(mounts, work, (root) => capture('tar', ['-xf', rootfsTar, '-C', root]));
  });
}

async function layerOfBigFiles(subject: Subject, work: string): Promise<string> {
  return makeLayer(subject, async (mounts) => {
    await withMounted(mounts, work, (root) => {
      writeFileSync(join(root, 'read'), Buffer.alloc(READ_BYTES, 'r'));
      writeFileSync(join(root, 'big'), Buffer.alloc(BIG_BYTES, 'b'));
    });
  });
}

const mebibytes = (bytes: number): string => (bytes / MEBIBYTE).toFixed(1);
const percent = (share: number): string => `${(share * 100).toFixed(1)} %`;
