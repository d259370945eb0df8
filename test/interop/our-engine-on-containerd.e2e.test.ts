import { join } from 'node:path';
import {
  loopFilesystem,
  requires,
  startContainerd,
  tempDir,
  type TestContainerd,
} from '@teu/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { output, startEngine, type Engine } from '../e2e/engine.js';
import { LAYERED_IMAGE, LAYERED_LOOK, LAYERED_SIGHT, writeLayeredImage } from './layered-image.js';

const DISK_BYTES = 512 * 1024 * 1024;
const WAIT = { timeout: 10_000 };

/** containerd's own snapshotters, and what the root of a container is mounted as. */
const snapshotters: readonly [name: string, rootType: string][] = [
  ['overlayfs', 'overlay'],
  ['native', ''],
  ...(requires('root', 'loop', 'btrfs', 'mkfs.btrfs') ? [['btrfs', 'btrfs'] as const] : []).map(
    ([name, type]): [string, string] => [name, type],
  ),
];

// TEU with snapshotters that are not its own: those of Debian's containerd, through the same protocol.
let engine: Engine;
let containerd: TestContainerd;
let archive: string;
const cleanUp = new AsyncDisposableStack();
beforeAll(async () => {
  const directory = tempDir();
  cleanUp.defer(() => directory.remove());
  archive = join(directory.path, 'image.tar');
  await writeLayeredImage(archive);
  // On a btrfs all three of its snapshotters work.
  const disk = await loopFilesystem(DISK_BYTES, 'btrfs');
  cleanUp.defer(() => disk.remove());
  containerd = await startContainerd({ root: join(disk.path, 'root') });
  cleanUp.defer(() => containerd.stop());
  engine = await startEngine([]);
  cleanUp.defer(() => engine.stop());
});
afterAll(() => cleanUp.disposeAsync());

/** Has containerd collect garbage, and waits for it. */
async function collectGarbage(): Promise<void> {
  const name = 'teu.test/garbage:1';
  await containerd.ctr('images', 'import', '--no-unpack', '--index-name', name, archive);
  await containerd.ctr('images', 'remove', '--sync', name, LAYERED_IMAGE);
}

describe.each(snapshotters)('the engine on %s of containerd', (snapshotter, rootType) => {
  const driver = `ctd-${snapshotter}`;
  const teu = (...args: string[]): Promise<string> => output(engine, ...args);
  const run = (...command: string[]): Promise<string> =>
    teu('run', '--rm', '--storage-driver', driver, LAYERED_IMAGE, ...command);
  /** What containerd lists of a kind. Of active ones the engine may keep some in advance. */
  const snapshots = async (kind: 'Committed' | 'Active'): Promise<string[]> => {
    const text = await containerd.ctr('snapshots', '--snapshotter', snapshotter, 'list');
    const rows = text.split('\n').map((row) => row.trim().split(/\s+/));
    return rows.filter((row) => row.at(-1) === kind).map(([key = '']) => key);
  };

  test('is told of it', async () => {
    const { address, namespace } = containerd;
    const words = ['--snapshotter', snapshotter, '--namespace', namespace];
    await teu('driver', 'add', driver, address, ...words);
    expect(await teu('driver', 'ls')).toContain(driver);
  });

  test('unpacks an image into it', async () => {
    await teu('load', '-i', archive, '--storage-driver', driver);
    expect(await snapshots('Committed')).toHaveLength(3);
  });

  test('a container sees the layers as one tree', async () => {
    expect(`${await run('sh', '-c', LAYERED_LOOK)}\n`).toBe(LAYERED_SIGHT);
    const [root = ''] = (await run('cat', '/proc/mounts')).split('\n');
    expect(root.split(' ')[2]).toContain(rootType);
  });

  test('what a container writes is its own and goes with it', async () => {
    const write = 'echo new > /data/new; echo more >> /data/kept; cat /data/kept';
    expect(await run('sh', '-c', write)).toBe('kept\nmore');
    expect(`${await run('sh', '-c', LAYERED_LOOK)}\n`).toBe(LAYERED_SIGHT);
  });

  test('what it stands on is no garbage to containerd', async () => {
    const name = `lasting-${snapshotter}`;
    const place = ['--storage-driver', driver, LAYERED_IMAGE];
    await teu(
      'run',
      '-d',
      '--name',
      name,
      ...place,
      'sh',
      '-c',
      'echo mine > /data/kept; sleep 1000',
    );
    await expect.poll(() => teu('exec', name, 'cat', '/data/kept'), WAIT).toBe('mine');
    const [{ snapshotKey } = { snapshotKey: '' }] = JSON.parse(await teu('inspect', name)) as {
      snapshotKey: string;
    }[];
    await collectGarbage();
    await teu('stop', '-t', '0', name);
    await collectGarbage();
    expect(await snapshots('Active')).toContain(snapshotKey);
    expect(await snapshots('Committed')).toHaveLength(3);
    await teu('start', name);
    expect(await teu('exec', name, 'cat', '/data/kept', '/data/changed')).toContain(
      'changed above',
    );
    expect(`${await run('sh', '-c', LAYERED_LOOK)}\n`).toBe(LAYERED_SIGHT);
    await teu('rm', '-f', name);
    await expect.poll(() => snapshots('Active'), WAIT).not.toContain(snapshotKey);
  });

  test('nothing is left in it', async () => {
    await teu('driver', 'rm', driver);
    expect(await snapshots('Committed')).toEqual([]);
    expect(await snapshots('Active')).toEqual([]);
    expect(await teu('driver', 'ls')).not.toContain(driver);
  });
});
