import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DistributionServiceService, TransferStep } from '@teu/proto/image';
import { requires, runProgram, startRegistry, type TestRegistry } from '@teu/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chainIds } from './domain/chain-id.js';
import { digestOf } from './domain/digest.js';
import { verify } from './testing/content-calls.js';
import { pull, push } from './testing/distribution-calls.js';
import { startImageStand, type ImageStand } from './testing/image-stand.js';
import { archiveTar, ociFiles, writeArchive } from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';

const LAYERS = [
  makeTar({ name: 'etc/', type: '5' }, { name: 'etc/base', data: 'base' }),
  makeTar({ name: 'etc/', type: '5' }, { name: 'etc/top', data: 'top' }),
];
const CHAIN = chainIds(LAYERS.map(digestOf));

let stand: ImageStand;
let other: ImageStand;
let registry: TestRegistry;

beforeAll(async () => {
  requires('root', 'overlayfs', 'docker-registry', 'skopeo');
  [stand, other, registry] = await Promise.all([
    startImageStand(),
    startImageStand(),
    startRegistry(),
  ]);
});

afterAll(async () => {
  await Promise.all([stand.stop(), other.stop(), registry.stop()]);
});

const skopeo = async (...args: string[]): Promise<string> => {
  const ran = await runProgram('skopeo', args, { timeoutMs: 60_000 });
  expect(ran.code, ran.stderr).toBe(0);
  return ran.stdout;
};
const name = (path: string) => `${registry.host}/${path}`;

async function pushBySkopeo(target: string, compression: 'gzip' | 'zstd' | 'none'): Promise<void> {
  const layout = join(stand.directory, `layout-${compression}`);
  mkdirSync(layout, { recursive: true });
  writeArchive(layout, ociFiles({ layers: LAYERS, compression, config: { Cmd: [compression] } }));
  const copy = ['copy', '--quiet', '--insecure-policy', '--preserve-digests'];
  await skopeo(...copy, '--dest-tls-verify=false', `oci:${layout}`, `docker://${target}`);
}

describe('what skopeo pushed', () => {
  it.each(['gzip', 'zstd', 'none'] as const)('is pulled with layers in %s', async (compression) => {
    const target = name(`by-skopeo/${compression}:1`);
    await pushBySkopeo(target, compression);
    const { resolution, progress, result } = await pull(stand.service, { reference: target });
    expect(result).toMatchObject({ isUpToDate: false, image: { references: [target] } });
    expect(result.image?.layers.map(({ chainId }) => chainId)).toEqual(CHAIN);
    expect(resolution).toMatchObject({ host: registry.host, digest: result.digest });
    expect(resolution?.layerDigests).toHaveLength(2);
    expect(progress.at(-1)?.step).toBe(TransferStep.TRANSFER_STEP_DONE);
    const { snapshot } = await stand.prepare(target);
    expect(await stand.look(snapshot, 'cat etc/base etc/top')).toBe('basetop');
    const again = await pull(stand.service, { reference: target });
    expect(again.result).toMatchObject({ isUpToDate: true, downloadedBytes: 0 });
    expect(again.progress.map(({ step }) => step)).toEqual(
      again.progress.map(() => TransferStep.TRANSFER_STEP_EXISTS),
    );
    const byDigest = `${name(`by-skopeo/${compression}`)}@${result.digest}`;
    expect((await stand.prepare(byDigest)).snapshot).toBe(snapshot);
  });
});

describe('what is damaged here', () => {
  it('comes back from where it was pulled', async () => {
    const target = name('by-skopeo/gzip:1');
    const { result } = await pull(stand.service, { reference: target });
    const { image } = result;
    const layer = image?.layers[0]?.digest ?? '';
    const digests = [layer, image?.id ?? '', image?.manifestDigest ?? ''];
    const blobs = join(stand.dataDir, 'image/blobs/sha256');
    for (const digest of digests) writeFileSync(join(blobs, digest.slice(7)), 'damaged');
    const { damages, full, summary } = await verify(stand, { references: [target], repair: true });
    expect(damages).toEqual(digests.map(() => 'BLOB_CHANGED REPULLED'));
    expect(new Set(full.map(({ digest }) => digest))).toEqual(new Set(digests));
    expect(summary.remainingCount).toBe(0);
    expect((await verify(stand)).damages).toEqual([]);
  });
});

describe('what we push', () => {
  it.each(['gzip', 'zstd', 'none'] as const)('comes back as it was, in %s', async (compression) => {
    const target = name(`ours/${compression}:1`);
    const path = stand.file(
      'a',
      archiveTar(ociFiles({ layers: LAYERS, compression, config: { Cmd: ['ours', compression] } })),
    );
    const [image] = await stand.load({ path, reference: target });
    const pushed = await push(stand.service, { reference: target });
    expect(pushed.result.manifestDigest).toBe(image?.manifestDigest);
    expect(pushed.result.uploadedBytes).toBeGreaterThan(0);
    const inspected = await skopeo('inspect', '--tls-verify=false', `docker://${target}`);
    expect(JSON.parse(inspected)).toMatchObject({
      Digest: image?.manifestDigest,
      Layers: image?.layers.map(({ digest }) => digest),
    });
    const { result } = await pull(other.service, { reference: target });
    expect(result.image).toMatchObject({ id: image?.id, manifestDigest: image?.manifestDigest });
    const again = await push(stand.service, { reference: target });
    expect(again.result.uploadedBytes).toBe(0);
  });

  it('is taken from another repository of the registry', async () => {
    const target = name('taken/here:1');
    const [image] = await stand.list();
    const source = image?.references[0] ?? '';
    const { ImageServiceService } = await import('@teu/proto/image');
    await stand.service.channel.unary(ImageServiceService.tagImage, { source, target });
    const { progress, result } = await push(stand.service, { reference: target });
    expect(result.uploadedBytes).toBe(0);
    expect(progress.map(({ step }) => step)).toEqual(
      progress.map(() => TransferStep.TRANSFER_STEP_MOUNTED),
    );
  });
});

describe('a registry', () => {
  it('tells tags page by page, and what a name means', async () => {
    const repository = name('many/tags');
    await pushBySkopeo(`${repository}:a`, 'gzip');
    for (const tag of ['b', 'c']) {
      await skopeo(
        'copy',
        '--quiet',
        '--src-tls-verify=false',
        '--dest-tls-verify=false',
        `docker://${repository}:a`,
        `docker://${repository}:${tag}`,
      );
    }
    const { channel } = stand.service;
    const ask = (pageToken: string) =>
      channel.unary(DistributionServiceService.listTags, {
        ...{ repository, pageSize: 2, pageToken, credentials: [] },
      });
    const first = await ask('');
    expect(first.tags).toEqual(['a', 'b']);
    expect(await ask(first.nextPageToken)).toEqual({ tags: ['c'], nextPageToken: '' });
    const resolved = await channel.unary(DistributionServiceService.resolveImage, {
      ...{ reference: `${repository}:a`, credentials: [] },
    });
    expect(resolved).toMatchObject({ host: registry.host, manifests: [] });
    expect(resolved.descriptor?.digest).toMatch(/^sha256:/);
  });

  it('that does not have it says so', async () => {
    await expect(pull(stand.service, { reference: name('not/there:1') })).rejects.toMatchObject({
      reason: 'IMAGE_NOT_FOUND',
      metadata: { host: registry.host, repository: 'not/there' },
    });
  });
});
