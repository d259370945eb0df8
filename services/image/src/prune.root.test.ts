import { ContentServiceService } from '@teu/proto/image';
import { SnapshotsService } from '@teu/proto/snapshots';
import { requires, waitFor } from '@teu/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { digestOf } from './domain/digest.js';
import { leaseFor, prune } from './testing/content-calls.js';
import { startImageStand, type ImageStand } from './testing/image-stand.js';
import { archiveTar, ociFiles } from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';
import { prepareSnapshot } from './testing/tree-calls.js';

const BASE = makeTar({ name: 'etc/', type: '5' }, { name: 'etc/base', data: 'base'.repeat(5000) });
const { createLease, extendLease, releaseLease, listLeases, getContentUsage } =
  ContentServiceService;

let stand: ImageStand;

beforeAll(async () => {
  requires('root', 'overlayfs');
  stand = await startImageStand();
});

afterAll(async () => {
  await stand.stop();
});

afterEach(async () => {
  for (const { id } of await stand.list()) await stand.remove(id, true);
  await waitFor(async () => (await stand.snapshots()).length === 0);
  expect(stand.stored()).toEqual({ blobs: [], staging: [] });
});

/** An image of two layers, the first of which all share. */
async function load(name: string, labels: Record<string, string> = {}): Promise<string> {
  const top = makeTar({ name: 'etc/top', data: name.repeat(1000) });
  const files = ociFiles({ layers: [BASE, top], config: { Labels: labels } });
  const path = stand.file(name, archiveTar(files));
  const [image] = await stand.load({ path, reference: name });
  return image?.id ?? '';
}

/** An image whose name has gone to another one. */
async function loadDangling(): Promise<string> {
  const id = await load('app', { version: '1' });
  await load('app', { version: '2' });
  return id;
}

const names = async () => (await stand.list()).flatMap(({ references }) => references).sort();
const removeSnapshot = (key: string) =>
  stand.driver.channel.unary(SnapshotsService.remove, { snapshotter: 'overlay2', key });

describe('a prune', () => {
  it('takes images without a name, and with "all" those that nobody stands on', async () => {
    const dangling = await loadDangling();
    expect(await prune(stand)).toMatchObject({ untagged: [], deleted: [dangling], kept: {} });
    expect(await names()).toEqual(['app:latest']);
    const used = await load('used');
    const { snapshot } = await stand.prepare('used');
    await prepareSnapshot(stand, 'container', snapshot);
    const answer = await prune(stand, { all: true });
    expect(answer.untagged).toEqual(['app:latest']);
    expect(Object.keys(answer.kept)).toEqual(['used:latest']);
    expect(answer.kept['used:latest']).toContain('a container stands on it');
    await removeSnapshot('container');
    expect((await prune(stand, { all: true })).deleted).toEqual([used]);
  });

  it('tells what it would do, and does nothing', async () => {
    const dangling = await loadDangling();
    const wanted = { all: true, dryRun: true };
    const told = await prune(stand, wanted);
    expect(told.deleted).toHaveLength(2);
    expect(told.deleted[0]).toBe(dangling);
    expect(await prune(stand, wanted)).toEqual(told);
    expect(await names()).toEqual(['app:latest']);
    expect(await prune(stand, { all: true })).toEqual(told);
  });

  it('frees what it says', async () => {
    await load('first');
    await load('second');
    const before = await stand.service.channel.unary(getContentUsage, {});
    const { reclaimedBytes } = await prune(stand, { all: true });
    const after = await stand.service.channel.unary(getContentUsage, {});
    // Each has a layer of its own and both have the first; what they hold in the driver counts as well.
    const unpacked = 4 * 5000 + 1000 * 'first'.length + 1000 * 'second'.length;
    expect(reclaimedBytes).toBe(before.imageBytes - after.imageBytes + unpacked);
    expect(after).toMatchObject({ imageBytes: 0, blobCount: 0, imageCount: 0 });
  });

  it('goes by labels', async () => {
    await load('plain');
    await load('old', { tier: 'test' });
    await load('new', { tier: 'live' });
    const pruned = async (...labels: string[]) =>
      (await prune(stand, { all: true, labels, dryRun: true })).untagged.sort();
    expect(await pruned('tier')).toEqual(['new:latest', 'old:latest']);
    expect(await pruned('tier=test')).toEqual(['old:latest']);
    expect(await pruned('tier=test', 'none')).toEqual([]);
    await expect(pruned('')).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
  });

  it('goes by when they were last used, also over a restart', async () => {
    await load('app');
    const unusedFor = { seconds: 3600, nanos: 0 };
    expect((await prune(stand, { all: true, unusedFor })).deleted).toEqual([]);
    await load('other');
    await stand.prepare('app');
    stand.service.kill('SIGTERM');
    await stand.restart();
    // Least recently used first.
    const { untagged } = await prune(stand, { all: true, dryRun: true });
    expect(untagged).toEqual(['other:latest', 'app:latest']);
    const now = { seconds: 0, nanos: 0 };
    expect((await prune(stand, { all: true, unusedFor: now })).deleted).toHaveLength(2);
  });

  it('stops when there is room enough', async () => {
    await load('app');
    expect((await prune(stand, { all: true, freeBytes: 1 })).deleted).toEqual([]);
    expect((await prune(stand, { all: true, freeBytes: 2 ** 52 })).deleted).toHaveLength(1);
    await expect(prune(stand, { freeBytes: -1 })).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
    });
  });

  it('is done by itself, if that is wanted', async () => {
    await load('app');
    stand.service.kill('SIGTERM');
    await stand.restart({
      TEU_IMAGE_POLICY_INTERVAL: '1s',
      TEU_IMAGE_KEEP_IMAGES_FOR: '1s',
    });
    const said = () => stand.service.logs().includes('images went by the policy');
    await waitFor(said, { what: 'the policy' });
    expect(await stand.list()).toEqual([]);
    stand.service.kill('SIGTERM');
    await stand.restart();
  });
});

describe('a lease', () => {
  it('keeps an image, and is named by whoever is refused', async () => {
    const id = await load('app');
    const lease = await leaseFor(stand, 3600, 'a build', 'app');
    const refusal = { reason: 'IMAGE_IN_USE', metadata: { holder: 'a build' } };
    await expect(stand.remove('app')).rejects.toMatchObject(refusal);
    expect((await prune(stand, { all: true })).kept['app:latest']).toContain('a build');
    expect(Object.keys((await prune(stand, { all: true, dryRun: true })).kept)).toEqual([
      'app:latest',
    ]);
    await stand.service.channel.unary(releaseLease, { id: lease });
    expect((await prune(stand, { all: true })).deleted).toEqual([id]);
  });

  it('does not withstand force', async () => {
    await load('app');
    const lease = await leaseFor(stand, 3600, 'somebody', 'app');
    expect((await stand.remove('app', true)).untagged).toEqual(['app:latest']);
    await stand.service.channel.unary(releaseLease, { id: lease });
  });

  it('keeps a blob that no image needs, until it ends by itself', async () => {
    await load('app');
    const digest = digestOf(BASE);
    const id = await leaseFor(stand, 3600, 'somebody', digest);
    await stand.remove('app');
    expect(stand.stored().blobs).toEqual([digest.slice(7)]);
    const usage = await stand.service.channel.unary(getContentUsage, {});
    expect(usage.blobCount).toBe(1);
    // As short as a lease can be: it counts from now.
    await stand.service.channel.unary(extendLease, { id, ttl: { seconds: 1, nanos: 0 } });
    await waitFor(() => stand.stored().blobs.length === 0, { what: 'the end of the lease' });
  });

  it('outlives the service', async () => {
    await load('app');
    const lease = await leaseFor(stand, 3600, 'a build', 'app');
    stand.service.kill('SIGKILL');
    await stand.restart();
    await expect(stand.remove('app')).rejects.toMatchObject({ reason: 'IMAGE_IN_USE' });
    const call = stand.service.channel;
    const { leases } = await call.unary(listLeases, { pageSize: 0, pageToken: '' });
    expect(leases).toMatchObject([{ id: lease, holder: 'a build' }]);
    await call.unary(releaseLease, { id: lease });
    const again = call.unary(extendLease, { id: lease, ttl: { seconds: 9, nanos: 0 } });
    await expect(again).rejects.toMatchObject({ reason: 'LEASE_NOT_FOUND' });
  });

  it('can be extended, and is listed by page', async () => {
    await load('app');
    const ids: string[] = [];
    for (const holder of ['a', 'b', 'c']) ids.push(await leaseFor(stand, 60, holder, 'app'));
    const call = stand.service.channel;
    const ttl = { seconds: 7200, nanos: 0 };
    const { lease } = await call.unary(extendLease, { id: ids[0] ?? '', ttl });
    const left = (lease?.expireTime?.getTime() ?? 0) - Date.now();
    expect(left).toBeGreaterThan(7_100_000);
    const first = await call.unary(listLeases, { pageSize: 2, pageToken: '' });
    const { nextPageToken: pageToken } = first;
    const second = await call.unary(listLeases, { pageSize: 2, pageToken });
    expect([...first.leases, ...second.leases].map(({ id }) => id)).toEqual(ids.sort());
    expect(second.nextPageToken).toBe('');
    for (const id of ids) await call.unary(releaseLease, { id });
  });

  it.each([
    ['nothing', [], 60, 'IMAGE_NOT_FOUND'],
    ['no time', ['app'], 0, 'INVALID_ARGUMENT'],
    ['more than 30 days', ['app'], 31 * 86_400, 'INVALID_ARGUMENT'],
    ['what is not there', ['none'], 60, 'IMAGE_NOT_FOUND'],
    ['a blob that is not there', [digestOf('none')], 60, 'IMAGE_NOT_FOUND'],
  ])('of %s is refused', async (_, references, seconds, reason) => {
    await load('app');
    const request = { references, holder: '', ttl: { seconds, nanos: 0 } };
    const expected = references.length === 0 ? 'INVALID_ARGUMENT' : reason;
    await expect(stand.service.channel.unary(createLease, request)).rejects.toMatchObject({
      reason: expected,
    });
    await expect(leaseFor(stand, 60, 'two\nlines', 'app')).rejects.toMatchObject({
      reason: 'INVALID_ARGUMENT',
    });
  });
});

describe('the use of the disk', () => {
  it('adds up', async () => {
    await load('app');
    const usage = await stand.service.channel.unary(getContentUsage, {});
    const { totalBytes, imageBytes, garbageBytes, partialBytes } = usage;
    const { quarantineBytes, stagingBytes, metadataBytes } = usage;
    const sum = imageBytes + garbageBytes + partialBytes + quarantineBytes + stagingBytes;
    expect(totalBytes).toBe(sum + metadataBytes);
    expect(usage).toMatchObject({ blobCount: 4, imageCount: 1, garbageBytes: 0 });
    expect(imageBytes).toBeGreaterThan(BASE.length);
  });
});
