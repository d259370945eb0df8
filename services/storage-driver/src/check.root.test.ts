import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import {
  DriverServiceService,
  findingKindToJSON,
  repairActionToJSON,
  type CheckSummary,
} from '@teu/proto/storage';
import { mountSnapshot, unmountSnapshot } from '@teu/snapshot-conformance';
import { loopFilesystem, requires, tempDir, waitFor } from '@teu/testing';
import { describe, expect, it, onTestFinished } from 'vitest';
import { startDriver, type StartedDriver } from './testing/start-driver.js';

const { checkSnapshots, repairSnapshots } = DriverServiceService;
const SET_ATTRIBUTE = 'import os, sys; os.setxattr(sys.argv[1], sys.argv[2], b"1")';

interface Found {
  readonly lines: string[];
  readonly summary: CheckSummary | undefined;
}

async function check(driver: StartedDriver, readData = false, key = ''): Promise<Found> {
  const lines: string[] = [];
  let summary: CheckSummary | undefined;
  for await (const { part } of driver.channel.serverStream(checkSnapshots, { key, readData })) {
    if (part?.$case === 'summary') summary = part.value;
    else if (part !== undefined) {
      const { kind, key: name, path } = part.value;
      lines.push(`${findingKindToJSON(kind).slice('FINDING_KIND_'.length)} ${name} ${path}`);
    }
  }
  return { lines, summary };
}

async function repair(driver: StartedDriver, readData = false, key = ''): Promise<Found> {
  const lines: string[] = [];
  let summary: CheckSummary | undefined;
  for await (const { part } of driver.channel.serverStream(repairSnapshots, { key, readData })) {
    if (part?.$case === 'summary') summary = part.value;
    else if (part !== undefined) {
      const { finding, action } = part.value;
      const kind = findingKindToJSON(finding?.kind ?? 0).slice('FINDING_KIND_'.length);
      const became = repairActionToJSON(action).slice('REPAIR_ACTION_'.length);
      lines.push(`${kind} ${finding?.key} ${finding?.path} ${became}`);
    }
  }
  return { lines, summary };
}

const DRIVERS = ['overlay2', 'vfs'];
if (requires('loop', 'btrfs', 'mkfs.btrfs')) DRIVERS.push('btrfs');
const BTRFS_BYTES = 512 << 20;

interface Place {
  readonly path: string;
  remove(): void;
}

const placeFor = async (driver: string): Promise<Place> =>
  driver === 'btrfs' ? await loopFilesystem(BTRFS_BYTES, 'btrfs') : tempDir();
/** Out of a subvolume too. */
const move = (from: string, to: string): void => void execFileSync('mv', [from, to]);

describe.runIf(requires('root', 'overlayfs', 'python3')).each(DRIVERS)(
  'check and repair of %s',
  (name) => {
    /** A driver with "base" and "top" on it, both sealed, and "container" on that. */
    async function withLayers(
      work: (
        driver: StartedDriver,
        root: string,
        start: () => Promise<StartedDriver>,
      ) => Promise<void>,
    ): Promise<void> {
      const directory = await placeFor(name);
      onTestFinished(() => directory.remove());
      const root = join(directory.path, name);
      const start = (): Promise<StartedDriver> => startDriver(directory.path, ['--driver', name]);
      const driver = await start();
      let parent = '';
      for (const layer of ['base', 'top']) {
        const place = join(directory.path, 'm');
        await mountSnapshot(await driver.snapshots.prepare('making', parent), place);
        mkdirSync(join(place, layer));
        writeFileSync(join(place, layer, 'file'), `content of ${layer}`);
        writeFileSync(join(place, layer, 'other'), 'other');
        // Node sets times to the microsecond at best, and the tests set some back.
        for (const file of ['file', 'other']) utimesSync(join(place, layer, file), 1000, 1000);
        await unmountSnapshot(place);
        await driver.snapshots.commit(layer, 'making');
        parent = layer;
      }
      await driver.snapshots.prepare('container', 'top');
      await waitFor(async () => (await check(driver)).summary?.unjudgedCount === 0);
      expect(readdirSync(join(root, 'manifests')).sort()).toEqual(['1', '2']);
      await work(driver, root, start);
      await driver.close();
    }

    /** Nothing is wrong, now and after a start. */
    async function expectClean(driver: StartedDriver, start: () => Promise<StartedDriver>) {
      expect(await check(driver, true)).toMatchObject({ lines: [] });
      await driver.close();
      const again = await start();
      expect(await check(again, true)).toMatchObject({ lines: [] });
      await again.snapshots.prepare('after', 'top');
      await again.close();
    }

    it('finds nothing where nothing is wrong', () =>
      withLayers(async (driver, _root, start) => {
        const { lines, summary } = await check(driver, true);
        expect(lines).toEqual([]);
        expect(summary).toMatchObject({ snapshotCount: 3, unjudgedCount: 0, remainingCount: 0 });
        expect(summary?.fileCount).toBeGreaterThan(6);
        expect(summary?.readBytes).toBeGreaterThan(20);
        expect(await repair(driver)).toMatchObject({ lines: [] });
        await expectClean(driver, start);
      }));

    it('quarantines what lacks a file, and lifts that when it is whole again', () =>
      withLayers(async (driver, root, start) => {
        const file = join(root, 'l/1/base/file');
        move(file, join(root, 'kept'));
        const lines = ['CHANGED_ATTRIBUTES base base', 'MISSING_FILE base base/file'];
        expect(await check(driver)).toMatchObject({ lines, summary: { remainingCount: 2 } });
        const repaired = await repair(driver);
        expect(repaired.lines).toEqual([`${lines[0]} MENDED`, `${lines[1]} QUARANTINED`]);
        expect(repaired.summary).toMatchObject({ findingCount: 2, remainingCount: 1 });
        const invalid = { reason: 'SNAPSHOT_INVALID' };
        await expect(driver.snapshots.prepare('a', 'top')).rejects.toMatchObject(invalid);
        await expect(driver.snapshots.view('a', 'base')).rejects.toMatchObject(invalid);
        await expect(driver.snapshots.mounts('container')).rejects.toMatchObject(invalid);
        await driver.close();

        const again = await start();
        await expect(again.snapshots.prepare('a', 'top')).rejects.toMatchObject(invalid);
        move(join(root, 'kept'), file);
        expect((await repair(again)).lines).toEqual(['CHANGED_ATTRIBUTES base base MENDED']);
        await again.snapshots.mounts('container');
        await again.snapshots.prepare('a', 'top');
        await expectClean(again, start);
      }));

    it('lets damaged snapshots be removed', () =>
      withLayers(async (driver, root) => {
        rmSync(join(root, 'l/2'), { recursive: true });
        expect((await check(driver)).lines).toEqual(['MISSING_STORAGE top ']);
        expect((await repair(driver, false, 'top')).lines).toEqual([
          'MISSING_STORAGE top  QUARANTINED',
        ]);
        await expect(driver.snapshots.prepare('a', 'top')).rejects.toThrow('files are missing');
        await driver.snapshots.remove('container');
        await driver.snapshots.remove('top');
        expect(await check(driver)).toMatchObject({ lines: [] });
      }));

    it('finds a flipped byte behind the same size and time', () =>
      withLayers(async (driver, root) => {
        const file = join(root, 'l/1/base/file');
        const bytes = readFileSync(file);
        bytes[3] = 0;
        writeFileSync(file, bytes);
        utimesSync(file, 1000, 1000);
        expect((await check(driver)).lines).toEqual([]);
        const line = 'CHANGED_DATA base base/file';
        expect((await check(driver, true, 'base')).lines).toEqual([line]);
        expect((await check(driver, true, 'top')).lines).toEqual([]);
        const place = `${root}.running`;
        await mountSnapshot(await driver.snapshots.mounts('container'), place);
        expect((await repair(driver, true)).lines).toEqual([`${line} QUARANTINED`]);
        // What runs is left alone.
        expect(readFileSync(join(place, 'top/file'), 'utf8')).toBe('content of top');
        await unmountSnapshot(place);
        // Without reading, nothing can lift a quarantine.
        expect((await repair(driver)).lines).toEqual([`${line} QUARANTINED`]);
        await expect(driver.snapshots.prepare('a', 'top')).rejects.toThrow('other content');
      }));

    it('sets attributes back', () =>
      withLayers(async (driver, root, start) => {
        const path = join(root, 'l/2/top/file');
        chmodSync(path, 0o777);
        execFileSync('/usr/bin/python3', ['-c', SET_ATTRIBUTE, join(root, 'l/1'), 'trusted.x']);
        const lines = ['CHANGED_ATTRIBUTES base .', 'CHANGED_ATTRIBUTES top top/file'];
        expect((await check(driver)).lines).toEqual(lines);
        expect((await repair(driver)).lines).toEqual(lines.map((line) => `${line} MENDED`));
        expect(lstatSync(path).mode & 0o777).toBe(0o644);
        await expectClean(driver, start);
      }));

    it('removes what belongs to nothing', () =>
      withLayers(async (driver, root, start) => {
        mkdirSync(join(root, 'l/zz/deep'), { recursive: true });
        if (existsSync(join(root, 'w'))) mkdirSync(join(root, 'w/zz'));
        mkdirSync(join(root, 'l/Not An Id'));
        writeFileSync(join(root, 'manifests/yy'), 'of nobody');
        writeFileSync(join(root, 'l/1/base/extra'), 'extra');
        utimesSync(join(root, 'l/1/base'), 1000, 1000);
        const strays = ['zz', 'manifests/yy', 'l/Not An Id'].map(
          (path) => `STRAY_STORAGE  ${path}`,
        );
        const inBase = ['CHANGED_ATTRIBUTES base base', 'EXTRA_FILE base base/extra'];
        expect((await check(driver)).lines).toEqual([...inBase, ...strays]);
        expect((await repair(driver)).lines).toEqual([
          `${inBase[0]} MENDED`,
          `${inBase[1]} QUARANTINED`,
          ...strays.map((line) => `${line} REMOVED`),
        ]);
        rmSync(join(root, 'l/1/base/extra'));
        await repair(driver);
        await expectClean(driver, start);
      }));

    it('removes nothing that something is mounted in', () =>
      withLayers(async (driver, root) => {
        const place = join(root, 'l/In Use');
        mkdirSync(place);
        execFileSync('mount', ['-t', 'tmpfs', 'none', place]);
        try {
          writeFileSync(join(place, 'precious'), '');
          expect((await repair(driver)).lines).toEqual(['STRAY_STORAGE  l/In Use FAILED']);
          expect(existsSync(join(place, 'precious'))).toBe(true);
        } finally {
          execFileSync('umount', [place]);
        }
        expect((await repair(driver)).lines).toEqual(['STRAY_STORAGE  l/In Use REMOVED']);
      }));

    it('makes lost records again, parents first', () =>
      withLayers(async (driver, root, start) => {
        const before = await driver.snapshots.list();
        await driver.close();
        const db = new DatabaseSync(join(root, 'state.db'));
        db.exec('PRAGMA foreign_keys = OFF; DELETE FROM snapshots');
        db.close();

        const again = await start();
        const lines = ['LOST_RECORD base 1', 'LOST_RECORD top 2'];
        expect((await check(again)).lines).toEqual(lines);
        // Ids go on above those on disk: "new" does not take the place of what is lost.
        await again.snapshots.prepare('new');
        expect((await repair(again)).lines).toEqual(lines.map((line) => `${line} MENDED`));
        const after = await again.snapshots.list();
        const committed = ['base', 'top'];
        for (const key of committed) {
          const was = before.find((info) => info.name === key);
          expect(after.find((info) => info.name === key)).toEqual({
            ...was,
            updatedAt: was?.createdAt,
          });
        }
        await again.snapshots.remove('new');
        await expectClean(again, start);
      }));

    it('tells a lost record from one that was removed', () =>
      withLayers(async (driver, root, start) => {
        await driver.snapshots.remove('container');
        const kept = join(root, 'kept');
        execFileSync('cp', ['-a', join(root, 'l/2'), kept]);
        execFileSync('cp', ['-a', join(root, 'manifests/2'), `${kept}-manifest`]);
        await driver.snapshots.remove('top');
        await driver.snapshots.cleanup();
        await driver.close();
        // As a power cut can bring it back that comes before the removal is on the disk.
        renameSync(kept, join(root, 'l/2'));
        renameSync(`${kept}-manifest`, join(root, 'manifests/2'));
        if (existsSync(join(root, 'w'))) mkdirSync(join(root, 'w/2'));
        const again = await start();
        expect((await check(again)).lines).toEqual([]);
        expect(readdirSync(join(root, 'l'))).toEqual(['1']);
        await again.close();
      }));

    it('makes a damaged manifest anew, and says so', () =>
      withLayers(async (driver, root, start) => {
        writeFileSync(join(root, 'manifests/1'), 'nonsense');
        rmSync(join(root, 'manifests/2'));
        const lines = ['DAMAGED_MANIFEST base ', 'DAMAGED_MANIFEST top '];
        const { summary, lines: found } = await check(driver);
        expect(found).toEqual(lines);
        expect(summary).toMatchObject({ unjudgedCount: 2 });
        expect((await repair(driver)).lines).toEqual(lines.map((line) => `${line} MENDED`));
        await expectClean(driver, start);
      }));

    it('refuses what cannot be checked, and ends with its caller', () =>
      withLayers(async (driver) => {
        await expect(check(driver, false, 'none')).rejects.toMatchObject({ status: 'NOT_FOUND' });
        await expect(check(driver, false, 'container')).rejects.toMatchObject({
          reason: 'INVALID_STATE',
        });
        const stop = new AbortController();
        const stream = driver.channel.serverStream(
          checkSnapshots,
          { key: '', readData: true },
          { signal: stop.signal },
        );
        stop.abort();
        await expect(Array.fromAsync(stream)).rejects.toMatchObject({ status: 'CANCELLED' });
      }));
  },
);
