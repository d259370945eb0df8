import { Capability, DriverServiceService } from '@teu/proto/storage';
import { SnapshotsClient } from '@teu/snapshot-conformance';
import { runProgram, startContainerd, tempDir, type TestContainerd, waitFor } from '@teu/testing';
import { existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { LAYERED_IMAGE, LAYERED_LOOK, LAYERED_SIGHT, writeLayeredImage } from './layered-image.js';
import { type OwnDriver, OWN_DRIVERS } from './own-drivers.js';

/** There is one zfs-fuse at a time, and other tests want it too. */
const TURN_MS = 600_000;

// containerd as it is in Debian, with a driver of ours as its proxy plugin: what its client can do with
// a snapshotter works on each of them.
describe.each(Object.entries(OWN_DRIVERS))('containerd on %s', (driverName, start) => {
  // Some of its own snapshotters have the names of our drivers.
  const name = `teu-${driverName}`;
  const directory = tempDir();
  let driver: OwnDriver;
  let containerd: TestContainerd;
  const cleanUp = new AsyncDisposableStack();
  beforeAll(async () => {
    cleanUp.defer(() => directory.remove());
    driver = await start();
    cleanUp.defer(() => driver.stop());
    containerd = await startContainerd({ snapshotters: { [name]: driver.address } });
    cleanUp.defer(() => containerd.stop());
  }, TURN_MS);
  afterAll(() => cleanUp.disposeAsync());

  const ctr = (...args: string[]): Promise<string> => containerd.ctr(...args);
  const snapshot = (...args: string[]): Promise<string> =>
    ctr('snapshots', '--snapshotter', name, ...args);
  const run = async (id: string, script: string, ...flags: string[]): Promise<string> => {
    const command = ['sh', '-c', script];
    const image = LAYERED_IMAGE;
    const ended = await containerd.run({ image, id, snapshotter: name, command, flags });
    expect(ended, ended.stderr).toMatchObject({ code: 0 });
    return ended.stdout;
  };
  // A driver hears of what was removed when containerd collects garbage, which now and then was not within 10 s.
  const collectGarbage = async (): Promise<void> => {
    await ctr('leases', 'create', '--id', 'collecting');
    await ctr('leases', 'delete', '--sync', 'collecting');
  };
  const snapshots = (): SnapshotsClient => new SnapshotsClient(driver.channel, name);
  const hasAttributes = async (): Promise<boolean> => {
    const described = await driver.channel.unary(DriverServiceService.getDriver, {}, {});
    return described.driver?.capabilities.includes(Capability.CAPABILITY_XATTRS) ?? false;
  };
  const names = async (): Promise<string[]> =>
    (await snapshots().list()).map((info) => info.name).sort();

  test('unpacks an image of several layers', async () => {
    const archive = join(directory.path, 'image.tar');
    await writeLayeredImage(archive);
    await ctr(
      'images',
      'import',
      '--base-name',
      'teu.test/layered',
      '--snapshotter',
      name,
      archive,
    );
    // The keys that containerd passes on have its namespace and a number before them.
    for (const info of await snapshots().list('kind==committed')) {
      expect(info.name).toMatch(/^teu-test\/\d+\/sha256:[0-9a-f]{64}$/);
    }
    expect(await names()).toHaveLength(3);
  });

  test('a container sees the layers as one tree', async () => {
    expect(await run('look', LAYERED_LOOK)).toBe(LAYERED_SIGHT);
  });

  test('what a container writes is its own and goes with it', async () => {
    const write =
      'echo new > /data/new; echo more >> /data/kept; rm /data/changed; cat /data/kept; echo /data/*';
    const seen = 'kept\nmore\n/data/kept /data/new /data/one /data/other\n';
    expect(await run('writes', write)).toBe(seen);
    expect(await run('after', LAYERED_LOOK)).toBe(LAYERED_SIGHT);
    await collectGarbage();
    await expect.poll(names, { timeout: 10_000 }).toHaveLength(3);
  });

  test('two containers stand side by side', async () => {
    const meeting = join(directory.path, 'meeting');
    mkdirSync(meeting);
    const mount = `type=bind,src=${meeting},dst=/tmp,options=rbind:rw`;
    const meet = (me: string, other: string): Promise<string> =>
      run(
        me,
        `echo ${me} > /data/kept; echo > /tmp/${me}; while ! test -e /tmp/${other}; do :; done; cat /data/kept`,
        ...['--mount', mount],
      );
    expect(await Promise.all([meet('left', 'right'), meet('right', 'left')])).toEqual([
      'left\n',
      'right\n',
    ]);
  });

  test('its client lists them, draws the tree and adds up the disk', async () => {
    const rows = (await snapshot('list')).trimEnd().split('\n').slice(1);
    expect(rows.map((row) => row.trim().split(/\s+/).at(-1))).toEqual(Array(3).fill('Committed'));
    const [first = '', second = '', third = ''] = (await snapshot('tree')).trimEnd().split('\n');
    expect(first.search(/\S/)).toBeLessThan(second.search(/\S/));
    expect(second.search(/\S/)).toBeLessThan(third.search(/\S/));
    const usage = (await snapshot('usage', '-b')).trim().split('\n').slice(1);
    const bytes = usage.map((row) => Number(row.trim().split(/\s+/)[1]));
    expect(bytes).toHaveLength(3);
    expect(Math.max(...bytes)).toBeGreaterThan(500_000);
  });

  test('a snapshot is prepared, mounted, compared and committed by hand', async () => {
    const top = (await snapshot('tree')).trim().split(/\s+/).at(-1) ?? '';
    await snapshot('prepare', 'work', top);
    const place = join(directory.path, 'place');
    mkdirSync(place);
    await perform(await snapshot('mounts', place, 'work'));
    try {
      writeFileSync(join(place, 'data/added'), 'added');
      rmSync(join(place, 'data/kept'));
    } finally {
      await perform(`umount ${place}`);
    }
    // containerd compares nothing without attributes, which zfs-fuse does not have.
    if (await hasAttributes()) {
      const tar = join(directory.path, 'diff.tar');
      await perform(
        `ctr --address ${containerd.address.slice(5)} --namespace ${containerd.namespace}` +
          ` snapshots --snapshotter ${name} diff work > ${tar}`,
      );
      const listed = (await perform(`tar --list --file ${tar}`)).trim().split('\n').sort();
      expect(listed).toEqual(['data/', 'data/.wh.kept', 'data/added']);
    }
    await snapshot('commit', 'committed', 'work');
    await snapshot('prepare', 'again', 'committed');
    await perform(await snapshot('mounts', place, 'again'));
    try {
      expect(existsSync(join(place, 'data/added'))).toBe(true);
      expect(existsSync(join(place, 'data/kept'))).toBe(false);
    } finally {
      await perform(`umount ${place}`);
    }
    await snapshot('remove', 'again');
    // The driver hears of these when containerd collects garbage the next time.
    await snapshot('remove', 'committed');
  });

  test('a driver that died is found again', async () => {
    await driver.restart();
    // containerd connects again when its back-off of at most three seconds is over.
    await waitFor(() => snapshot('usage'));
    expect(await run('again', LAYERED_LOOK)).toBe(LAYERED_SIGHT);
    await collectGarbage();
    await expect.poll(names, { timeout: 10_000 }).toHaveLength(3);
  });

  test('nothing is left after its garbage collection', async () => {
    await ctr('images', 'remove', '--sync', LAYERED_IMAGE);
    await expect.poll(names, { timeout: 10_000 }).toEqual([]);
    await snapshots().cleanup();
    const usage = await driver.channel.unary(DriverServiceService.getDiskUsage, {}, {});
    expect(usage).toMatchObject({ snapshotCount: 0, committedBytes: 0, activeBytes: 0 });
    expect(usage.removingBytes).toBe(0);
  });
});

async function perform(script: string): Promise<string> {
  const { code, stdout, stderr } = await runProgram('sh', ['-ec', script]);
  if (code !== 0) throw new Error(`${script}: exit ${String(code)}: ${stderr}`);
  return stdout;
}
