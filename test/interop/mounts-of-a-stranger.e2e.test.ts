import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Mount } from '@teu/proto/snapshots';
import { requires, tempDir } from '@teu/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { output, startEngine, type Engine } from '../e2e/engine.js';
import { DiskSnapshotter, type Disguise } from './disk-snapshotter.js';
import { LAYERED_IMAGE, LAYERED_LOOK, LAYERED_SIGHT, writeLayeredImage } from './layered-image.js';

const bind = (source: string, target: string, ...options: string[]): Mount =>
  Mount.create({ type: 'bind', source, target, options: ['rbind', ...options] });

// Whatever mounts a snapshotter returns are performed, by the image service and by the executor; what
// cannot be is refused by name, and leaves nothing behind.
describe.runIf(requires('root', 'loop', 'mkfs.ext4'))('a snapshotter that returns', () => {
  const directory = tempDir();
  const cleanUp = new AsyncDisposableStack();
  const snapshotters = new Map<string, DiskSnapshotter>();
  let engine: Engine;
  let archive: string;
  beforeAll(async () => {
    cleanUp.defer(() => directory.remove());
    archive = join(directory.path, 'image.tar');
    await writeLayeredImage(archive);
    engine = await startEngine([]);
    cleanUp.defer(() => engine.stop());
  });
  afterAll(() => cleanUp.disposeAsync());

  const teu = (...args: string[]): Promise<string> => output(engine, ...args);
  const running = (driver: string, script: string, ...flags: string[]) =>
    [
      'run',
      '--rm',
      '--storage-driver',
      driver,
      ...flags,
      LAYERED_IMAGE,
      'sh',
      '-c',
      script,
    ] as const;
  /** Adds a driver with the image in it. */
  const add = async (driver: string, disguise?: Disguise): Promise<DiskSnapshotter> => {
    const snapshotter = new DiskSnapshotter(join(directory.path, driver), disguise);
    snapshotters.set(driver, snapshotter);
    const address = await snapshotter.start();
    cleanUp.defer(() => snapshotter.stop());
    await teu('driver', 'add', driver, address);
    // Before the snapshotter goes, the engine has to be done with it.
    cleanUp.defer(async () => {
      await engine.teu(['driver', 'rm', driver]);
    });
    await teu('load', '-i', archive, '--storage-driver', driver);
    return snapshotter;
  };

  test('a disk: the image is unpacked onto it and the container stands on it', async () => {
    const disks = await add('disks');
    expect(disks.names.filter((name) => name.startsWith('sha256:'))).toHaveLength(3);
    expect(`${await teu(...running('disks', LAYERED_LOOK))}\n`).toBe(LAYERED_SIGHT);
    const mounts = await teu(...running('disks', 'echo own > /data/kept; cat /proc/mounts'));
    expect(mounts.split('\n')[0]).toMatch(/^\/dev\/loop\d+ \/ ext4 rw,noatime/);
    expect(`${await teu(...running('disks', LAYERED_LOOK))}\n`).toBe(LAYERED_SIGHT);
  });

  test('several mounts: each covers what is below, and links lead nowhere outside', async () => {
    const [lower, above, inside] = ['lower', 'above', 'inside'].map((name) => {
      mkdirSync(join(directory.path, name));
      return join(directory.path, name);
    }) as [string, string, string];
    mkdirSync(join(lower, 'data/sub'), { recursive: true });
    for (const name of ['bin', 'proc', 'sys', 'dev', 'etc', 'tmp']) mkdirSync(join(lower, name));
    for (const name of ['hosts', 'hostname', 'resolv.conf']) {
      writeFileSync(join(lower, 'etc', name), '');
    }
    symlinkSync('/data', join(above, 'link'));
    writeFileSync(join(inside, 'file'), 'inside\n');
    const options = ['ro', `lowerdir=${above}:${lower}`];
    await add('stack', ([disk = Mount.create()]) => [
      { ...disk, options: ['ro'] },
      Mount.create({ type: 'overlay', source: 'overlay', options }),
      bind('/usr/bin', 'bin', 'ro'),
      bind(inside, 'link/sub', 'ro'),
      Mount.create({ type: 'tmpfs', source: 'tmpfs', target: 'tmp', options: ['size=64k'] }),
    ]);
    const script =
      'exec 2>&1; cat /data/sub/file; echo x > /data/sub/new; echo x > /tmp/new && grep -c "^tmpfs /tmp " /proc/mounts; ls /';
    const busybox = ['/bin/busybox', 'sh', '-c', script];
    const seen = await teu('run', '--rm', '--storage-driver', 'stack', LAYERED_IMAGE, ...busybox);
    expect(seen).toMatch(/^inside\n.*Read-only file system\n1\nbin\ndata\n/);
    expect(seen).not.toContain('full');
  });

  test('mounts in a place that a link of the image names stay inside', async () => {
    const outside = join(directory.path, 'outside');
    mkdirSync(outside);
    // The place is a link to a directory of the host, which is not there inside.
    const link = join(directory.path, 'tree');
    mkdirSync(link);
    symlinkSync(outside, join(link, 'escape'));
    await add('links', (mounts) => [
      ...mounts,
      bind(link, 'full', 'ro'),
      bind(link, 'full/escape'),
    ]);
    const result = await engine.teu(running('links', 'true'));
    expect(result.code).toBe(125);
    expect(result.stderr).toMatch(/step rootfs.*ENOENT/);
  });

  test.each<[string, RegExp, Disguise]>([
    ['other', /type "format\/ext4"/, ([disk]) => [{ ...disk!, type: 'format/ext4' }]],
    ['loop', /option "loop"/, ([disk]) => [{ ...disk!, options: ['loop'] }]],
    ['fuse', /type "fuse3\.x"/, ([disk]) => [{ ...disk!, type: 'fuse3.x' }]],
    ['nothing', /no mount at all/, () => []],
  ])('what cannot be mounted (%s) is refused with all names', async (driver, what, disguise) => {
    const snapshotter = await add(driver, disguise);
    const result = await engine.teu(running(driver, 'true'));
    expect(result.code).toBe(125);
    expect(result.stderr).toMatch(what);
    expect(result.stderr).toMatch(new RegExp(`container/[0-9a-f]{64}.*driver ${driver}`));
    await expect
      .poll(() => snapshotter.names.filter((name) => !name.startsWith('sha256:')))
      .toEqual([]);
  });

  test('what the kernel refuses fails the start, and nothing is left', async () => {
    const snapshotter = await add('bad', () => [
      Mount.create({ type: 'xfs', source: '/dev/null', options: [] }),
    ]);
    const result = await engine.teu(running('bad', 'true'));
    expect(result.code).toBe(125);
    expect(result.stderr).toMatch(/step rootfs, mount: E/);
    await expect
      .poll(() => snapshotter.names.filter((name) => !name.startsWith('sha256:')))
      .toEqual([]);
  });
});
