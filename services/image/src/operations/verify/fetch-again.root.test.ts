import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nativeBinary } from '@teu/config';
import { silentLogger } from '@teu/log';
import { VerifyImagesRequest, type Damage } from '@teu/proto/image';
import { openStore } from '@teu/state';
import { requires, tempDir } from '@teu/testing';
import { expect, it } from 'vitest';
import { createPins } from '../../domain/pins.js';
import { createBlobHasher } from '../../layers/blob-hasher.js';
import { createBlobStore } from '../../store/blob-store.js';
import { createImageStore } from '../../store/image-store.js';
import { IMAGE_MIGRATIONS } from '../../store/schema.js';
import { createSnapshotTable } from '../../store/snapshot-table.js';
import { createImageEvents } from '../image-events.js';
import type { BlobOrigins } from '../blob-origins.js';
import type { ImageParts } from '../image-parts.js';
import { verifyImages } from './verify-images.js';

const BYTES = Buffer.from('what it is');
const DIGEST = `sha256:${createHash('sha256').update(BYTES).digest('hex')}`;

/** A store with one blob that is damaged, and somebody who says that he has it. */
async function repairWith(fetch: BlobOrigins['fetch']) {
  using own = tempDir();
  const store = openStore({ path: join(own.path, 'state.db'), migrations: IMAGE_MIGRATIONS });
  const blobs = createBlobStore(store, own.path);
  store.transaction(() => blobs.record(DIGEST, BYTES.length));
  writeFileSync(blobs.path(DIGEST), 'what is not');
  const parts = {
    store,
    blobs,
    images: createImageStore(store),
    snapshots: createSnapshotTable(store),
    events: createImageEvents(store, 'node'),
    hasher: createBlobHasher(nativeBinary('teu-tree')),
    pins: createPins(),
    log: silentLogger,
    blobOrigins: { fetch },
  } as unknown as ImageParts;
  const context = { requestId: 'r', signal: new AbortController().signal, idle: true };
  const damages: Damage[] = [];
  const request = VerifyImagesRequest.create({ repair: true });
  for await (const { event } of verifyImages(parts, request, context)) {
    if (event?.$case === 'damage') damages.push(event.value);
  }
  const isWhole = blobs.has(DIGEST) && readFileSync(blobs.path(DIGEST)).equals(BYTES);
  store.close();
  return { actions: damages.map(({ action }) => action), isWhole };
}

const REPULLED = 2;
const QUARANTINED = 3;

it.runIf(requires('root'))(
  'a damaged blob is fetched again, and what comes is not believed',
  async () => {
    const right: BlobOrigins['fetch'] = async (blob, path) => {
      expect(blob).toEqual({ digest: DIGEST, size: BYTES.length });
      writeFileSync(path, BYTES);
      return Promise.resolve(true);
    };
    expect(await repairWith(right)).toEqual({ actions: [REPULLED], isWhole: true });
    const wrong: BlobOrigins['fetch'] = async (_, path) => {
      writeFileSync(path, 'something else');
      return Promise.resolve(true);
    };
    const nobody: BlobOrigins['fetch'] = () => Promise.resolve(false);
    const broken: BlobOrigins['fetch'] = () => Promise.reject(new Error('the line is dead'));
    for (const fetch of [wrong, nobody, broken]) {
      expect(await repairWith(fetch)).toEqual({ actions: [QUARANTINED], isWhole: false });
    }
  },
);
