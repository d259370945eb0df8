import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { withMounted } from './mounted.js';
import { newKey, type Subject } from './subject.js';

/** Containers for the disk figure; a driver that copies gets fewer, and the table says how many. */
const CONTAINERS = 100;
const CONTAINERS_COPIED = 5;
/** An image that grows by more than this share with one container is copied whole for each. */
const COPIED_SHARE = 0.5;

/** What containers of one image cost on the disk. */
export interface DiskFigure {
  readonly imageBytes: number;
  /** What all containers together cost beside it. */
  readonly containerBytes: number;
  readonly containers: number;
  /** Share of what as many copies of the image would take that was not taken, 0 to 1. */
  readonly saved: number;
}

/** Makes containers on an image, each with one small file written, and tells how the disk grew. */
export async function measureDisk(
  subject: Subject,
  image: string,
  imageBytes: number,
  work: string,
): Promise<DiskFigure> {
  const before = subject.filesystem.usedBytes();
  const addOne = async (): Promise<void> => {
    const mounts = await subject.client.prepare(newKey(subject), image, subject.labels);
    await withMounted(mounts, work, (root) => writeFileSync(join(root, 'etc/hostname'), 'bench\n'));
  };
  await addOne();
  const isCopied = subject.filesystem.usedBytes() - before > imageBytes * COPIED_SHARE;
  const containers = isCopied ? CONTAINERS_COPIED : CONTAINERS;
  for (let made = 1; made < containers; made += 1) await addOne();
  const containerBytes = subject.filesystem.usedBytes() - before;
  const copies = imageBytes * containers;
  return { imageBytes, containerBytes, containers, saved: 1 - containerBytes / copies };
}
