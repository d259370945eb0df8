import { existsSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import { openStore } from '@teu/state';
import { tempDir } from '@teu/testing';
import { expect, it } from 'vitest';
import { createIngestStore } from './ingest-store.js';
import { IMAGE_MIGRATIONS } from './schema.js';

const DIGEST = `sha256:${'a'.repeat(64)}`;

it('keeps nothing of what two pulls have brought, one of them after the other had it in its place', async () => {
  using own = tempDir();
  const store = openStore({ path: join(own.path, 'state.db'), migrations: IMAGE_MIGRATIONS });
  const limits = { ingestKeepMs: 1000, ingestMaxBytes: 1000 };
  const ingests = createIngestStore(store, own.path, limits);
  const blob = join(own.path, 'blob');
  await (await ingests.open(DIGEST, 1)).close();
  renameSync(ingests.path(DIGEST), blob);
  await using second = await ingests.open(DIGEST, 1);
  store.transaction(() => ingests.finish(DIGEST));
  // The second one's file is open, so it goes on, and finds the blob.
  expect(await second.write('x')).toMatchObject({ bytesWritten: 1 });
  expect(await ingests.openIfThere(DIGEST)).toBeUndefined();
  expect([readdirSync(join(own.path, 'ingest')), ingests.has(DIGEST)]).toEqual([[], false]);
  store.transaction(() => ingests.finish(DIGEST));
  expect(existsSync(blob)).toBe(true);
  store.close();
});
