import { createHash, randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { nativeBinary } from '@teu/config';
import { parseStorageMounts } from '@teu/mounts';
import { requires, tempDir, waitFor, type TempDir } from '@teu/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeTar } from '../testing/make-tar.js';
import { createBlobGrowth, type BlobGrowth } from './blob-growth.js';
import type { LayerReport } from './layer-report.js';
import { createLayerWorker, type LayerWorker } from './layer-worker.js';

const MIB = 2 ** 20;
const FIRST = randomBytes(2 * MIB + 100);
const TAR = makeTar({ name: 'first', data: FIRST }, { name: 'last', data: 'end' });
const digest = (bytes: Buffer): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

const LIMITS = { maxLayerBytes: 2 ** 30, maxLayerEntries: 100, maxLayerRatio: 100 };

let own: TempDir;
let tree: string;
let file: FileHandle;
let growth: BlobGrowth;
let worker: LayerWorker;

beforeEach(async () => {
  requires('root');
  own = tempDir();
  tree = join(own.path, 'tree');
  mkdirSync(tree);
  file = await open(join(own.path, 'blob'), 'w+');
  growth = createBlobGrowth();
  worker = createLayerWorker({
    binary: nativeBinary('teu-layer'),
    cageDirectory: join(own.path, 'cage'),
    limits: { ...LIMITS, maxLayerTime: 60_000 },
  });
});

afterEach(async () => {
  await file.close();
  own.remove();
});

function apply(size: number): Promise<LayerReport> {
  const bind = { type: 'bind', source: tree, target: '', options: ['bind', 'rw'] };
  const mounts = parseStorageMounts([bind], { driver: 'test', snapshot: 'test' });
  const work = { blob: { file, offset: 0, size }, compression: 'auto' as const, growth };
  const applied = worker.apply({ ...work, mounts, signal: new AbortController().signal });
  // Looked at by the test, perhaps after it has failed.
  applied.catch(() => undefined);
  return applied;
}

async function put(blob: Buffer, from: number, to: number): Promise<void> {
  await file.write(blob, from, to - from, from);
  growth.advance(to);
}

describe('a blob that is still being written', () => {
  it.each([
    ['none', TAR],
    ['gzip', gzipSync(TAR)],
    ['zstd', zstdCompressSync(TAR)],
  ])('is unpacked while it comes (%s)', async (compression, blob) => {
    const applied = apply(blob.length);
    const most = blob.length - 600;
    for (let at = 0; at < most; at += 300_000) {
      await put(blob, at, Math.min(at + 300_000, most));
    }
    await waitFor(() => existsSync(join(tree, 'first')), { what: 'the first file' });
    expect(existsSync(join(tree, 'last'))).toBe(false);
    await put(blob, most, blob.length);
    growth.end();
    const facts = { compression, digest: digest(blob), diffId: digest(TAR), entries: 2 };
    expect(await applied).toMatchObject({ ...facts, blobBytes: blob.length });
    expect(readFileSync(join(tree, 'first')).equals(FIRST)).toBe(true);
  });

  it('may be there already when a worker comes, and be followed by several', async () => {
    await put(TAR, 0, TAR.length);
    const only = {
      blob: { file, offset: 0, size: TAR.length },
      compression: 'none' as const,
      growth,
      signal: new AbortController().signal,
    };
    const [applied, hashed] = await Promise.all([apply(TAR.length), worker.copy(only)]);
    expect([applied.digest, hashed.digest]).toEqual([digest(TAR), digest(TAR)]);
  });

  it('is refused as soon as it is seen to be hostile, without waiting for the rest', async () => {
    const blob = makeTar({ name: '../x' }, { name: 'f', data: Buffer.alloc(4 * MIB) });
    const applied = apply(blob.length);
    await put(blob, 0, 2 * MIB);
    await expect(applied).rejects.toMatchObject({
      reason: 'LAYER_INVALID',
      metadata: { code: 'PATH_TRAVERSAL', entry: '../x' },
    });
  });

  it('may break off', async () => {
    const applied = apply(TAR.length);
    await put(TAR, 0, MIB);
    growth.end();
    await expect(applied).rejects.toMatchObject({ reason: 'BLOB_BROKEN_OFF' });
  });

  it('may break off before its first byte', async () => {
    growth.end();
    await expect(apply(TAR.length)).rejects.toMatchObject({ reason: 'BLOB_BROKEN_OFF' });
  });

  it('may be given up, with the reason of who did', async () => {
    const applied = apply(TAR.length);
    await put(TAR, 0, MIB);
    const error = new Error('the registry has hung up');
    growth.abort(error);
    await expect(applied).rejects.toBe(error);
    await expect(apply(TAR.length)).rejects.toBe(error);
  });

  it('may take its time to come, which others may not', async () => {
    const options = { binary: nativeBinary('teu-layer'), cageDirectory: join(own.path, 'cage') };
    worker = createLayerWorker({ ...options, limits: { ...LIMITS, maxLayerTime: 1 } });
    const applied = apply(TAR.length);
    await put(TAR, 0, TAR.length - 600);
    await waitFor(() => existsSync(join(tree, 'first')), { what: 'the first file' });
    await put(TAR, TAR.length - 600, TAR.length);
    expect(await applied).toMatchObject({ entries: 2 });
    const blob = { file, offset: 0, size: TAR.length };
    const whole = { blob, compression: 'none' as const, signal: new AbortController().signal };
    await expect(worker.copy(whole)).rejects.toMatchObject({
      reason: 'LAYER_TOO_LARGE',
      metadata: { limit_ms: '1' },
    });
  });

  it('is not believed to be longer than its file', async () => {
    const applied = apply(TAR.length);
    await put(TAR, 0, MIB);
    growth.advance(TAR.length);
    const message: unknown = expect.stringContaining(
      `has ${MIB} bytes, and is said to have ${TAR.length}`,
    );
    await expect(applied).rejects.toMatchObject({ reason: 'BLOB_BROKEN_OFF', message });
  });

  it('is not believed to be longer than it was announced', async () => {
    const applied = apply(TAR.length);
    growth.advance(TAR.length + 1);
    await expect(applied).rejects.toMatchObject({ reason: 'BLOB_BROKEN_OFF' });
    expect(readdirSync(tree)).toEqual([]);
  });
});
