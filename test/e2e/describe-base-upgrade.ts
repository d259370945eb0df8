import { join } from 'node:path';
import { patient, requires, tempDir, waitFor, type TempDir } from '@teu/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { VERSIONS, writeBaseImages } from './base-fixture.js';
import type { DriverPlace, DriverRow } from './driver-places.js';
import { output, startEngine, type Engine } from './engine.js';
import { serveDriver, type ServedDriver } from './serve-driver.js';

const stepMs = patient(300_000);
const diskBytes = 6 * 2 ** 30;
const limitMiB = 24;

/**
 * A base is upgraded once for all that stands on it, on each of these storage drivers, with real Debian roots: what proves
 * it is the version that a patched library says it has, in the process of a container.
 */
export function describeBaseUpgrades(rows: readonly DriverRow[]): void {
  let images: TempDir;
  beforeAll(async () => {
    images = tempDir();
    await writeBaseImages(join(images.path, 'layout'));
  });
  afterAll(() => images.remove());

  describe.each(rows)('on $kind', (row) => {
    describe.runIf(requires(...row.needs))('a base upgrade', () => {
      testUpgrade(row, () => images.path);
    });
  });
}

/** On its first run it changes files; on every run it says what it finds. */
const LOOK =
  '[ -e /root/mine ] || { echo own >/etc/fixture.conf; echo mine >/root/mine; }; ' +
  'fixture; cat /etc/fixture.conf /etc/untouched.conf /root/mine; ls /usr/share/fixture';
const SIGHT = {
  old: `${VERSIONS.old}\nown\nbase 1\nmine\nremoved-in-2`,
  patched: `${VERSIONS.patched}\nown\nbase 2\nmine\nadded-in-2`,
} as const;
const WAITS = ['sh', '-c', 'fixture; exec sleep 1000'] as const;

interface Inspected {
  imageId: string;
  snapshotKey: string;
  baseUpgradeId?: string;
  pendingRebase?: { upgradeId: string; isUndo?: boolean };
}

interface Part {
  container?: { name: string; timing?: string; state?: string };
  changes?: { changes?: { kind: string; path: string }[]; error?: string };
  conflict?: { name: string; path: string };
  summary?: { id?: string; doneCount?: number; scheduledCount?: number };
}

/** What does not apply to a driver is no test of it, and none that is skipped. */
function testWhen(
  applies: boolean,
  name: string,
  options: { readonly timeout: number },
  run: () => Promise<void>,
): void {
  if (applies) test(name, options, run);
}

function testUpgrade(row: DriverRow, imagesPath: () => string): void {
  const { kind, isLive, hasQuota } = row;
  let place: DriverPlace | undefined;
  let engine: Engine;
  let driver: ServedDriver | undefined;
  let upgradeId = '';

  const teu = (...args: string[]) => output(engine, ...args);
  const inspect = async (name: string): Promise<Inspected> =>
    (JSON.parse(await teu('inspect', name)) as Inspected[])[0]!;
  const parts = async (...args: string[]): Promise<Part[]> =>
    (await teu('image', ...args, '--format', 'json'))
      .split('\n')
      .map((line) => JSON.parse(line) as Part);
  const snapshotCount = async (): Promise<number> => {
    const [usage] = JSON.parse(await teu('driver', 'df', 'tree', '--format', 'json')) as {
      snapshotCount: number;
    }[];
    return usage?.snapshotCount ?? -1;
  };
  const restart = async (name: string): Promise<string> => {
    await teu('stop', '-t', '0', name);
    await teu('start', name);
    await waitFor(async () => (await teu('logs', name)) !== '', { timeoutMs: 60_000 });
    return teu('logs', name);
  };

  beforeAll(async () => {
    place = await row.makePlace(diskBytes);
    engine = await startEngine([]);
    driver = await serveDriver(engine, kind, 'tree', ...place.options);
    await teu('driver', 'add', 'tree', `${engine.runDir}/d/tree.sock`);
    await teu('driver', 'default', 'tree');
    const words = ['load', '-i', join(imagesPath(), 'layout'), '--storage-driver', 'tree'];
    const loaded = await engine.teu(words, { timeoutMs: stepMs });
    expect(loaded).toMatchObject({ code: 0 });
  }, stepMs * 2);
  afterAll(async () => {
    await driver?.end('SIGTERM');
    await engine.stop();
    await place?.remove();
  });

  test(
    'begins with containers of both images, stopped and running',
    { timeout: stepMs },
    async () => {
      await teu('create', '--name', 'fresh', 'base:1');
      await teu('create', '--name', 'wrote', 'base:1', 'sh', '-c', LOOK);
      expect(await teu('start', '-a', 'wrote')).toBe(SIGHT.old);
      await teu('create', '--name', 'made', 'app:1', '/opt/app/run');
      expect(await teu('start', '-a', 'made')).toBe(`${VERSIONS.old}\napp`);
      await teu('run', '-d', '--name', 'up', 'base:1', ...WAITS);
      await teu('run', '-d', '--name', 'app-up', 'app:1', ...WAITS);
      const fill = `fixture; dd if=/dev/zero of=/fill bs=1M count=${String(2 * limitMiB)} conv=fsync`;
      const limit = hasQuota ? ['--storage-opt', `size=${String(limitMiB)}m`] : [];
      await teu('create', '--name', 'small', ...limit, 'base:1', 'sh', '-c', fill);
    },
  );

  test('is told in advance, with what is in its way', { timeout: stepMs }, async () => {
    const plan = await parts('upgrade-base', 'base:1', 'base:2', '--dry-run');
    const timing = (name: string) =>
      plan.find(({ container }) => container?.name === name)?.container?.timing;
    const later = isLive ? 'REBASE_TIMING_NOW_LIVE' : 'REBASE_TIMING_AT_NEXT_START';
    expect(timing('fresh')).toBe('REBASE_TIMING_NOW_STOPPED');
    expect([timing('up'), timing('app-up')]).toEqual([later, later]);
    expect(plan.flatMap((part) => part.changes?.error ?? [])).toEqual([]);
    const changes = plan.flatMap((part) => part.changes?.changes ?? []);
    const kindOf = (path: string) => changes.find((change) => change.path === path)?.kind;
    expect(kindOf('/usr/lib/fixture/libfixture.so.1')).toBe('CHANGE_KIND_CONTENT');
    expect(kindOf('/usr/share/fixture/added-in-2')).toBe('CHANGE_KIND_ADDED');
    expect(kindOf('/usr/share/fixture/removed-in-2')).toBe('CHANGE_KIND_REMOVED');
    const conflicts = plan.flatMap(({ conflict }) => (conflict === undefined ? [] : [conflict]));
    expect(conflicts).toMatchObject([{ name: 'wrote', path: '/etc/fixture.conf' }]);
    expect(await teu('image', 'upgrades', '-q')).toBe('');
    expect((await inspect('fresh')).imageId).toBe((await inspect('wrote')).imageId);
  });

  test('reaches all', { timeout: stepMs }, async () => {
    const steps = await parts('upgrade-base', 'base:1', 'base:2');
    const summary = steps.at(-1)?.summary;
    expect(summary).toMatchObject(isLive ? { doneCount: 6 } : { doneCount: 4, scheduledCount: 2 });
    upgradeId = summary?.id ?? '';
    expect(await teu('start', '-a', 'fresh')).toBe(VERSIONS.patched);
    expect(await teu('start', '-a', 'wrote')).toBe(SIGHT.patched);
    expect(await teu('start', '-a', 'made')).toBe(`${VERSIONS.patched}\napp`);
    for (const name of ['up', 'app-up']) {
      expect(await teu('logs', name)).toBe(VERSIONS.old);
      expect(await teu('exec', name, 'fixture')).toBe(isLive ? VERSIONS.patched : VERSIONS.old);
      const { pendingRebase } = await inspect(name);
      expect(pendingRebase?.upgradeId).toBe(isLive ? undefined : upgradeId);
      expect(await restart(name)).toBe(VERSIONS.patched);
      expect((await inspect(name)).baseUpgradeId).toBe(upgradeId);
    }
    expect(await teu('run', '--rm', 'app:1', '/opt/app/run')).toBe(`${VERSIONS.patched}\napp`);
    expect(await teu('run', '--rm', 'base:1')).toBe(VERSIONS.old);
  });

  testWhen(hasQuota, 'keeps the limit of a layer', { timeout: stepMs }, async () => {
    const full = await engine.teu(['start', '-a', 'small'], { timeoutMs: stepMs });
    expect(full.code).toBe(1);
    expect(full.stdout).toBe(`${VERSIONS.patched}\n`);
    expect(full.stderr).toMatch(/quota|space/i);
  });

  test('is undone, and what was written stays', { timeout: stepMs }, async () => {
    await engine.teu(['image', 'undo-upgrade', upgradeId], { timeoutMs: stepMs });
    expect(await teu('start', '-a', 'fresh')).toBe(VERSIONS.old);
    expect(await teu('start', '-a', 'wrote')).toBe(SIGHT.old);
    expect(await teu('start', '-a', 'made')).toBe(`${VERSIONS.old}\napp`);
    for (const name of ['up', 'app-up']) {
      expect(await teu('exec', name, 'fixture')).toBe(isLive ? VERSIONS.old : VERSIONS.patched);
      expect(await restart(name)).toBe(VERSIONS.old);
      expect(await inspect(name)).not.toHaveProperty('baseUpgradeId');
    }
    expect(await teu('run', '--rm', 'app:1', '/opt/app/run')).toBe(`${VERSIONS.old}\napp`);
  });

  const edit = (...options: string[]) =>
    engine.teu(
      [
        ...['image', 'edit-base', 'base:1', '--reason', 'a hole', '--yes', ...options, '--'],
        ...['sh', '-c', 'echo edited >/etc/untouched.conf; rm /usr/share/fixture/removed-in-2'],
      ],
      { timeoutMs: stepMs },
    );

  testWhen(isLive, 'is changed in place, for all', { timeout: stepMs }, async () => {
    const look = () =>
      teu('exec', 'up', 'sh', '-c', 'cat /etc/untouched.conf; ls /usr/share/fixture');
    const dry = await edit('--dry-run');
    expect(dry).toMatchObject({ code: 0, stderr: '' });
    expect(dry.stdout).toMatch(/^ {2}content +\/etc\/untouched\.conf$/m);
    expect(dry.stdout).toMatch(/^ {2}removed +\/usr\/share\/fixture\/removed-in-2$/m);
    expect(await look()).toBe('base 1\nremoved-in-2');
    expect(await edit()).toMatchObject({ code: 0, stderr: '' });
    expect(await look()).toBe('edited');
    expect(await teu('exec', 'app-up', 'cat', '/etc/untouched.conf')).toBe('edited');
    expect(await teu('run', '--rm', 'app:1', 'cat', '/etc/untouched.conf')).toBe('edited');
    expect(await teu('image', 'edits', 'app:1')).toMatch(/base:1 +tree .* 6 +a hole$/m);
    expect(await teu('ps', '-a')).not.toContain('base-edit');
  });

  testWhen(!isLive, 'is not changed in place, and that is told', { timeout: stepMs }, async () => {
    const refused = await edit();
    expect(refused).toMatchObject({ code: 125, stdout: '' });
    expect(refused.stderr).toMatch(/^teu: the storage driver tree does not .* in place/);
  });

  test('leaves nothing behind', { timeout: stepMs }, async () => {
    await teu('rm', '-f', 'fresh', 'wrote', 'made', 'up', 'app-up', 'small');
    const listed = JSON.parse(await teu('image', 'ls', '--format', 'json')) as { id: string }[];
    for (const { id } of listed) await teu('image', 'rm', '-f', id);
    await waitFor(async () => (await snapshotCount()) === 0, { timeoutMs: 60_000 });
    const check = await engine.teu(['driver', 'check', 'tree'], { timeoutMs: stepMs });
    expect(check).toMatchObject({ code: 0, stderr: '' });
  });
}
