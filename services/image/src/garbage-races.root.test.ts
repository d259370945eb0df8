import { requires, waitFor } from '@teu/testing';
import { isTeuError } from '@teu/errors';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { prune, verify } from './testing/content-calls.js';
import { startImageStand, type ImageStand } from './testing/image-stand.js';
import { archiveTar, ociFiles } from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';

const BASES = ['a', 'b'].map((name) => makeTar({ name: 'base', data: name.repeat(9000) }));
const TOPS = ['x', 'y', 'z'].map((name) => makeTar({ name: 'top', data: name.repeat(9000) }));
const ROUNDS = 12;

let stand: ImageStand;
/** Archives of images that share layers and blobs in every way. */
let archives: { path: string; reference: string }[];

beforeAll(async () => {
  requires('root', 'overlayfs');
  stand = await startImageStand();
  archives = BASES.flatMap((base, at) =>
    TOPS.map((top, index) => {
      const name = `image-${at}${index}`;
      const files = archiveTar(ociFiles({ layers: [base, top] }));
      return { path: stand.file(name, files), reference: name };
    }),
  );
});

afterAll(async () => {
  await stand.stop();
});

/** What may become of work that others get in the way of; anything else is a defect. */
async function mayLose(work: Promise<unknown>): Promise<void> {
  await work.catch((error: unknown) => {
    for (const reason of ['IMAGE_NOT_FOUND', 'IMAGE_IN_USE'] as const) {
      if (isTeuError(error, reason)) return;
    }
    throw error;
  });
}

it('loads, preparations, removals, prunes and verifications do not take from each other', async () => {
  const work = archives.map(async (archive, at) => {
    for (let round = 0; round < ROUNDS; round += 1) {
      // A load is never the loser: what it has answered is whole.
      const [image] = await stand.load(archive);
      expect(image?.layers).toHaveLength(2);
      await mayLose(stand.prepare(archive.reference));
      if ((round + at) % 3 === 0) await mayLose(stand.remove(archive.reference));
    }
  });
  const isBusy = { value: true };
  const prunes = (async () => {
    while (isBusy.value) {
      await prune(stand, { all: true });
      const { damages } = await verify(stand, { repair: true });
      expect(damages).toEqual([]);
    }
  })();
  await Promise.all(work).finally(() => (isBusy.value = false));
  await prunes;

  // All that is listed is whole.
  for (const archive of archives) await stand.load(archive);
  const looks = archives.map(async ({ reference }) => {
    const { snapshot } = await stand.prepare(reference);
    return snapshot;
  });
  const snapshots = new Set(await Promise.all(looks));
  expect(snapshots.size).toBe(archives.length);
  expect((await verify(stand, { readData: true })).damages).toEqual([]);

  // And when all of it goes, nothing is left.
  expect((await prune(stand, { all: true })).deleted).toHaveLength(archives.length);
  await waitFor(async () => (await stand.snapshots()).length === 0);
  expect(stand.stored()).toEqual({ blobs: [], staging: [] });
});
