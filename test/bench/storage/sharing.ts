import { mountSnapshot, unmountSnapshot } from '@teu/snapshot-conformance';
import { closeSync, openSync, readFileSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from '../harness/process.js';
import { table } from '../harness/statistics.js';
import { makeLayer, newKey, type Subject } from './subject.js';

const MEBIBYTE = 2 ** 20;
const READ_BYTES = 50 * MEBIBYTE;
const BIG_BYTES = 200 * MEBIBYTE;
const SMALL_FILES = 1000;
const READERS = 50;
/** Containers for the disk figure; a driver that copies gets fewer, and the table says how many. */
const CONTAINERS = 100;
const CONTAINERS_COPIED = 5;
/** An image that grows by more than this share with one container is copied whole for each. */
const COPIED_SHARE = 0.5;

/** What sharing is worth: disk, page cache, first write, many small files. Subjects one by one. */
export async function measureSharing(
  subjects: readonly Subject[],
  rootfsTar: string,
  work: string,
): Promise<string> {
  const rows: string[][] = [];
  for (const subject of subjects) {
    const disk = await diskOfContainers(subject, rootfsTar, work);
    const files = await layerOfBigFiles(subject, work);
    const cache = await cacheOfReaders(subject, files, work);
    const { firstWrite, create, remove } = await writes(subject, files, work);
    rows.push([
      subject.name,
      ...[disk.image, disk.containers].map((bytes) => (bytes / MEBIBYTE).toFixed(1)),
      String(disk.count),
      (cache / MEBIBYTE).toFixed(0),
      ...[firstWrite, create, remove].map((ms) => ms.toFixed(1)),
    ]);
  }
  const head = ['', 'image MiB', 'containers MiB', 'of them', `${READERS} read 50 MiB, cache MiB`];
  return table([
    [...head, 'first write to 200 MiB, ms', `create ${SMALL_FILES}, ms`, 'delete, ms'],
    ...rows,
  ]);
}

/** Grows by what the containers cost, each with one small file written. */
async function diskOfContainers(
  subject: Subject,
  rootfsTar: string,
  work: string,
): Promise<{ image: number; containers: number; count: number }> {
  const before = subject.filesystem.usedBytes();
  const image = await makeLayer(subject, async (mounts) => {
    const directory = join(work, 'image');
    await mountSnapshot(mounts, directory);
    capture('tar', ['-xf', rootfsTar, '-C', directory]);
    await unmountSnapshot(directory);
  });
  const loaded = subject.filesystem.usedBytes();
  const addOne = async (): Promise<void> => {
    const mounts = await subject.client.prepare(newKey(subject), image, subject.labels);
    await withMounted(mounts, work, (root) => writeFileSync(join(root, 'etc/hostname'), 'bench\n'));
  };
  await addOne();
  const isCopied = subject.filesystem.usedBytes() - loaded > (loaded - before) * COPIED_SHARE;
  const count = isCopied ? CONTAINERS_COPIED : CONTAINERS;
  for (let made = 1; made < count; made += 1) await addOne();
  return { image: loaded - before, containers: subject.filesystem.usedBytes() - loaded, count };
}

async function layerOfBigFiles(subject: Subject, work: string): Promise<string> {
  return makeLayer(subject, async (mounts) => {
    await withMounted(mounts, work, (root) => {
      writeFileSync(join(root, 'read'), Buffer.alloc(READ_BYTES, 'r'));
      writeFileSync(join(root, 'big'), Buffer.alloc(BIG_BYTES, 'b'));
    });
  });
}

/** Bytes that the page cache grows by when containers of one image read the same file. */
async function cacheOfReaders(subject: Subject, layer: string, work: string): Promise<number> {
  const places: string[] = [];
  for (let index = 0; index < READERS; index += 1) {
    const place = join(work, `reader-${index}`);
    await mountSnapshot(
      await subject.client.prepare(newKey(subject), layer, subject.labels),
      place,
    );
    places.push(place);
  }
  capture('sync', []);
  writeFileSync('/proc/sys/vm/drop_caches', '3');
  const before = cachedBytes();
  for (const place of places) readFileSync(join(place, 'read'));
  const grown = cachedBytes() - before;
  for (const place of places) {
    await unmountSnapshot(place);
    rmSync(place, { recursive: true });
  }
  return grown;
}

function cachedBytes(): number {
  const line = /^Cached:\s+(\d+) kB$/m.exec(readFileSync('/proc/meminfo', 'utf8'));
  return Number(line?.[1] ?? Number.NaN) * 1024;
}

async function writes(
  subject: Subject,
  layer: string,
  work: string,
): Promise<{ firstWrite: number; create: number; remove: number }> {
  const mounts = await subject.client.prepare(newKey(subject), layer, subject.labels);
  const times = { firstWrite: 0, create: 0, remove: 0 };
  const time = (name: keyof typeof times, act: () => void): void => {
    const begin = performance.now();
    act();
    times[name] = performance.now() - begin;
  };
  await withMounted(mounts, work, (root) => {
    time('firstWrite', () => {
      const file = openSync(join(root, 'big'), 'r+');
      writeSync(file, 'x', 0);
      closeSync(file);
    });
    const names = Array.from({ length: SMALL_FILES }, (_, index) => join(root, `small-${index}`));
    time('create', () => names.forEach((name) => writeFileSync(name, 'small')));
    time('remove', () => names.forEach((name) => rmSync(name)));
  });
  return times;
}

async function withMounted(
  mounts: Parameters<typeof mountSnapshot>[0],
  work: string,
  act: (root: string) => void,
): Promise<void> {
  const place = join(work, 'mounted');
  await mountSnapshot(mounts, place);
  try {
    act(place);
  } finally {
    await unmountSnapshot(place);
  }
}
