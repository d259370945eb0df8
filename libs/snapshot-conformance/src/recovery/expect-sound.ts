import { Kind, type Info, type Mount } from '@teu/proto/snapshots';
import { Capability, DriverServiceService } from '@teu/proto/storage';
import type { RpcChannel } from '@teu/rpc';
import { tempDir } from '@teu/testing';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { withMounted } from '../conformance-case.js';
import { SnapshotsClient } from '../snapshots-client.js';

const FILES = 40;
const contentOf = (name: string, index: number): string => `${name} ${index}\n`.repeat(1000);

/** Mounts outside of what a power cut concerns, works, and unmounts. */
export async function withTree<T>(
  mounts: readonly Mount[],
  work: (root: string) => T | Promise<T>,
): Promise<T> {
  using place = tempDir();
  return await withMounted({ work: place.path }, mounts, work);
}

/** Makes a committed layer of 40 files, which `expectSound` looks for. */
export async function makeFiles(
  snapshots: SnapshotsClient,
  name: string,
  parent = '',
): Promise<void> {
  await withTree(await snapshots.prepare(`making ${name}`, parent), (root) => {
    writeFiles(root, name);
  });
  await snapshots.commit(name, `making ${name}`);
}

/** Writes the files that a layer of a name is known by. */
export function writeFiles(root: string, name: string): void {
  for (let index = 0; index < FILES; index += 1) {
    writeFileSync(join(root, `${name} ${index}`), contentOf(name, index));
  }
}

/**
 * What must hold after any crash: all that is listed works, committed snapshots have every byte, and
 * the disk holds nothing else.
 *
 * @returns What is listed.
 */
export async function expectSound(channel: RpcChannel): Promise<Info[]> {
  const snapshots = new SnapshotsClient(channel, '');
  const listed = await snapshots.list();
  for (const { name, kind } of listed) {
    if (kind === Kind.COMMITTED) await expectFiles(snapshots, name);
    else await withTree(await snapshots.mounts(name), (root) => void readdirSync(root));
  }
  await snapshots.cleanup();
  await expectAddsUp(channel, listed.length);
  await expectNothingFound(channel);
  return listed;
}

async function expectFiles(snapshots: SnapshotsClient, name: string): Promise<void> {
  await withTree(await snapshots.view(`look at ${name}`, name), (root) => {
    for (let index = 0; index < FILES; index += 1) {
      expect(readFileSync(join(root, `${name} ${index}`), 'utf8')).toBe(contentOf(name, index));
    }
  });
  await snapshots.remove(`look at ${name}`);
}

/** The parts are the whole, and nothing waits to be deleted. */
export async function expectAddsUp(channel: RpcChannel, snapshotCount: number): Promise<void> {
  const usage = await channel.unary(DriverServiceService.getDiskUsage, {});
  const { committedBytes, activeBytes, removingBytes, metadataBytes } = usage;
  const sum = committedBytes + activeBytes + removingBytes + metadataBytes;
  expect(usage).toMatchObject({ snapshotCount, removingBytes: 0, totalBytes: sum });
}

/** The driver finds nothing wrong with itself, if it can look. */
async function expectNothingFound(channel: RpcChannel): Promise<void> {
  const { getDriver, checkSnapshots } = DriverServiceService;
  const { driver } = await channel.unary(getDriver, {});
  if (driver?.capabilities.includes(Capability.CAPABILITY_CHECK) !== true) return;
  const findings: unknown[] = [];
  const check = channel.serverStream(checkSnapshots, { key: '', readData: true });
  for await (const { part } of check) if (part?.$case === 'finding') findings.push(part.value);
  expect(findings).toEqual([]);
}
