import { join } from 'node:path';
import { loopFilesystem, requires, tempDir, zfsPool } from '@teu/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { output, startEngine, type Engine } from './engine.js';
import { serveDriver, type ServedDriver } from './serve-driver.js';

const diskBytes = 512 << 20;

/** Where a driver can keep its snapshots. */
interface Place {
  /** Options of `teu driver serve`. */
  readonly options: readonly string[];
  remove(): void | Promise<void>;
}

async function btrfsPlace(): Promise<Place> {
  const disk = await loopFilesystem(diskBytes, 'btrfs');
  return {
    options: ['--root', join(disk.path, 'tree')],
    remove: () => {
      disk.remove();
    },
  };
}

async function zfsPlace(): Promise<Place> {
  const pool = await zfsPool({ bytes: diskBytes });
  const directory = tempDir();
  return {
    options: ['--root', directory.path, '--', '--zfs-dataset', pool.name],
    remove: async () => {
      await pool.remove();
      directory.remove();
    },
  };
}

describe.runIf(requires('root', 'btrfs', 'loop', 'mkfs.btrfs'))('with btrfs', () => {
  testLimits('btrfs', btrfsPlace);
});
describe.runIf(requires('root', 'fuse', 'zfs-fuse'))('with zfs', () => {
  testLimits('zfs', zfsPlace);
});

function testLimits(kind: string, makePlace: () => Promise<Place>): void {
  let place: Place | undefined;
  let engine: Engine;
  let driver: ServedDriver | undefined;
  beforeAll(async () => {
    place = await makePlace();
    engine = await startEngine();
    driver = await serveDriver(engine, kind, 'tree', ...place.options);
    await output(engine, 'driver', 'add', 'tree', `${engine.runDir}/d/tree.sock`);
  });
  afterAll(async () => {
    await driver?.end('SIGTERM');
    await engine.stop();
    await place?.remove();
  });

  /** Has a container write so many MiB. */
  const write = (mebibytes: number, ...options: string[]) =>
    engine.teu([
      ...['run', '--rm', '--storage-driver', 'tree', ...options, 'busybox'],
      ...['dd', 'if=/dev/zero', 'of=/file', 'bs=1M', `count=${String(mebibytes)}`, 'conv=fsync'],
    ]);

  test('a limit is told by the driver as something it can do', async () => {
    const line = new RegExp(`^tree +${kind} +available .*quota`, 'm');
    expect(await output(engine, 'driver', 'ls')).toMatch(line);
  });

  test('a limit ends what writes more, and not what writes less', async () => {
    expect(await write(48)).toMatchObject({ code: 0 });
    expect(await write(4, '--storage-opt', 'size=16m')).toMatchObject({ code: 0 });
    const tooMuch = await write(48, '--storage-opt', 'size=16m');
    expect(tooMuch.code).toBe(1);
    expect(tooMuch.stderr).toMatch(/quota|space/i);
  });

  test('a limit is shown by inspect, and holds for later starts', async () => {
    await output(
      engine,
      ...['create', '--name', 'small', '--storage-driver', 'tree', '--storage-opt', 'size=16m'],
      ...['busybox', 'dd', 'if=/dev/zero', 'of=/file', 'bs=1M', 'count=48', 'conv=fsync'],
    );
    const [found] = JSON.parse(await output(engine, 'inspect', 'small')) as {
      driver: string;
      spec: { rootSizeBytes: number };
    }[];
    expect(found).toMatchObject({ driver: 'tree', spec: { rootSizeBytes: 16 << 20 } });
    for (let round = 0; round < 2; round++) {
      expect(await engine.teu(['start', '-a', 'small'])).toMatchObject({ code: 1 });
    }
    await output(engine, 'rm', 'small');
  });
}
