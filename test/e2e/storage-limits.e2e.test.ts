import { join } from 'node:path';
import { loopFilesystem, requires, type LoopFilesystem } from '@teu/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { output, startEngine, type Engine } from './engine.js';
import { serveDriver, type ServedDriver } from './serve-driver.js';

const diskBytes = 512 << 20;

describe.runIf(requires('root', 'btrfs', 'loop', 'mkfs.btrfs'))(
  'a limit of what is written',
  () => {
    let disk: LoopFilesystem | undefined;
    let engine: Engine;
    let driver: ServedDriver | undefined;
    beforeAll(async () => {
      disk = await loopFilesystem(diskBytes, 'btrfs');
      engine = await startEngine();
      driver = await serveDriver(engine, 'btrfs', 'tree', '--root', join(disk.path, 'tree'));
      await output(engine, 'driver', 'add', 'tree', `${engine.runDir}/d/tree.sock`);
    });
    afterAll(async () => {
      await driver?.end('SIGTERM');
      await engine.stop();
      disk?.remove();
    });

    /** Has a container write so many MiB. */
    const write = (mebibytes: number, ...options: string[]) =>
      engine.teu([
        ...['run', '--rm', '--storage-driver', 'tree', ...options, 'busybox'],
        ...['dd', 'if=/dev/zero', 'of=/file', 'bs=1M', `count=${String(mebibytes)}`, 'conv=fsync'],
      ]);

    test('is told by the driver as something it can do', async () => {
      expect(await output(engine, 'driver', 'ls')).toMatch(/^tree +btrfs +available .*quota/m);
    });

    test('ends what writes more, and not what writes less', async () => {
      expect(await write(48)).toMatchObject({ code: 0 });
      expect(await write(4, '--storage-opt', 'size=16m')).toMatchObject({ code: 0 });
      const tooMuch = await write(48, '--storage-opt', 'size=16m');
      expect(tooMuch.code).toBe(1);
      expect(tooMuch.stderr).toMatch(/quota|space/i);
    });

    test('is shown by inspect, and holds for later starts', async () => {
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
  },
);
