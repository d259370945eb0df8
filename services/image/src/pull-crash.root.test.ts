import { randomBytes } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { requires, waitFor } from '@teu/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { chainIds } from './domain/chain-id.js';
import { digestOf } from './domain/digest.js';
import { IMAGE_FAILPOINTS } from './failpoints.js';
import { pull } from './testing/distribution-calls.js';
import { startImageStand, type ImageStand } from './testing/image-stand.js';
import { ociFiles } from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';
import { startStubImage, type StubHook, type StubImage } from './testing/stub-image.js';

const LARGE_BYTES = 3_000_000;
const LAYERS = [
  makeTar({ name: 'etc/', type: '5' }, { name: 'etc/base', data: 'base' }),
  makeTar({ name: 'etc/', type: '5' }, { name: 'etc/top', data: randomBytes(LARGE_BYTES) }),
];
const LAST = digestOf(LAYERS[1] ?? '');
const CHAIN = chainIds(LAYERS.map(digestOf)).sort();

let stand: ImageStand;
let stub: StubImage;
let hook: StubHook;

beforeEach(async () => {
  requires('root', 'overlayfs');
  hook = () => false;
  stub = await startStubImage(ociFiles({ layers: LAYERS }), (...given) => hook(...given));
  stand = await startImageStand({ env: { TEU_IMAGE_REGISTRY_RETRY: '10ms' } });
});

afterEach(async () => {
  await stand.stop();
  await stub.stop();
});

const ingests = (): { name: string; size: number }[] => {
  const directory = join(stand.dataDir, 'image/ingest');
  return readdirSync(directory).map((name) => ({
    name,
    size: statSync(join(directory, name)).size,
  }));
};

const pullIt = () => pull(stand.service, { reference: `${stub.host}/app:1` });

async function expectWhole(isThere: boolean): Promise<void> {
  await waitFor(
    async () => {
      expect(await stand.snapshots()).toEqual(isThere ? CHAIN : []);
      expect(stand.stored()).toMatchObject({ staging: [] });
      expect(stand.stored().blobs).toHaveLength(isThere ? 4 : 0);
      return true;
    },
    { what: 'recovery' },
  );
  expect((await stand.list()).map(({ references }) => references)).toEqual(
    isThere ? [[`${stub.host}/app:1`]] : [],
  );
  if (isThere) expect(ingests()).toEqual([]);
}

describe.each(['kill', 'error'])('a pull that ends by %s', (how) => {
  const points = IMAGE_FAILPOINTS.filter((name) => name.startsWith('image.pull'));

  it.each(points)('at %s', async (failpoint) => {
    stand.service.kill('SIGTERM');
    await stand.restart({ TEU_FAILPOINTS: `${failpoint}=${how}` });
    await expect(pullIt()).rejects.toThrow();
    if (how === 'kill') expect((await stand.service.exited).signal).toBe('SIGKILL');
    else stand.service.kill('SIGTERM');
    await stand.restart();
    await expectWhole(failpoint === 'image.pull.after-commit');
    const before = stub.blobsSeen().length;
    const { result } = await pullIt();
    await expectWhole(true);
    // What had come is not asked for again, wherever the end was.
    const isDownloaded = !/after-resolve|after-download/.test(failpoint);
    const layersAgain = stub
      .blobsSeen()
      .slice(before)
      .filter((digest) => digest === LAST);
    if (isDownloaded) expect([layersAgain, result.downloadedBytes]).toEqual([[], 0]);
  });
});

describe('a download that is broken off', () => {
  it('goes on where it was after kill -9', async () => {
    const sent = 1_600_000;
    hook = ({ url, range }, response) => {
      if (!url.includes(LAST) || range !== undefined) return false;
      response.writeHead(200, { 'content-length': (LAYERS[1] ?? []).length });
      return response.write(LAYERS[1]?.subarray(0, sent));
    };
    const broken = pullIt();
    broken.catch(() => undefined);
    const there = (): number => ingests().find(({ name }) => LAST.endsWith(name))?.size ?? 0;
    await waitFor(() => Promise.resolve(there() > sent / 2), { what: 'bytes on the disk' });
    stand.service.kill('SIGKILL');
    await expect(broken).rejects.toThrow();
    const kept = there();
    await stand.restart();
    hook = () => false;
    const { result, progress } = await pullIt();
    await expectWhole(true);
    expect(result.downloadedBytes).toBeLessThanOrEqual(
      (LAYERS[1]?.length ?? 0) - kept + (LAYERS[0]?.length ?? 0),
    );
    const resumed = progress.filter(({ digest }) => digest === LAST).at(-1)?.resumedBytes;
    expect(resumed).toBe(kept);
  });

  it('is forgotten when its time is over', async () => {
    hook = ({ url }, response) => (url.includes(LAST) ? response.writeHead(403).end('{}') : false);
    await expect(pullIt()).rejects.toMatchObject({ reason: 'REGISTRY_DENIED' });
    expect(ingests().length).toBeGreaterThan(0);
    stand.service.kill('SIGTERM');
    await stand.restart({ TEU_IMAGE_INGEST_KEEP: '1ms' });
    expect(ingests()).toEqual([]);
    await expectWhole(false);
  });
});
