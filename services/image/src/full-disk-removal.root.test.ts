import { closeSync, openSync, writeSync } from 'node:fs';
import { statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { loopFilesystem, requires, waitFor, type LoopFilesystem } from '@teu/testing';
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { prune } from './testing/content-calls.js';
import { startImageStand, type ImageStand } from './testing/image-stand.js';
import { archiveTar, dockerFiles } from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';

const MIB = 2 ** 20;

let disk: LoopFilesystem;
let stand: ImageStand;

beforeEach(async () => {
  requires('root', 'overlayfs', 'loop', 'mkfs.ext4');
  disk = await loopFilesystem(96 * MIB);
  stand = await startImageStand({ dataDir: join(disk.path, 'data') });
  const layers = [makeTar({ name: 'data', data: randomBytes(4 * MIB) })];
  const path = stand.file('app', archiveTar(dockerFiles({ layers, name: 'app' })));
  await stand.load({ path });
});

afterEach(async () => {
  await stand.stop();
  disk.remove();
});

/** Fills the disk to its last block. */
function fill(): void {
  const fd = openSync(join(disk.path, 'filler'), 'w');
  try {
    for (const size of [MIB, 4096, 1]) {
      const bytes = Buffer.alloc(size, 1);
      try {
        for (;;) writeSync(fd, bytes);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      }
    }
  } finally {
    closeSync(fd);
  }
}

/** Blocks that anybody but root may have, and those that root may. */
async function freeBytes(): Promise<{ forOthers: number; forRoot: number }> {
  const { bavail, bfree, bsize } = await statfs(disk.path);
  return { forOthers: bavail * bsize, forRoot: bfree * bsize };
}

describe('on a disk without a free block', () => {
  it.each([
    ['a removal', () => stand.remove('app')],
    ['a prune', () => prune(stand, { all: true })],
  ])('%s makes room', async (_, remove) => {
    fill();
    const full = await freeBytes();
    expect(full.forOthers).toBe(0);
    expect((await remove()).deleted.length).toBeGreaterThan(0);
    expect(await stand.list()).toEqual([]);
    expect(stand.stored().blobs).toEqual([]);
    const hasRoom = async () => (await freeBytes()).forRoot > full.forRoot + 6 * MIB;
    await waitFor(hasRoom, { what: 'room' });
    expect(await stand.snapshots()).toEqual([]);
  });
});
