import { DriverServiceService } from '@teu/proto/storage';
import { requires, waitFor } from '@teu/testing';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AufsStand } from './testing/aufs-stand.js';
import { endUnions, unionPids, unionPoints } from './testing/unions-of.js';

const TIMEOUT = { timeout: 60_000 };
const MANY = 100;

describe.runIf(requires('root', 'fuse'))('unions of aufs', TIMEOUT, () => {
  let stand: AufsStand;
  beforeEach(async () => {
    stand = new AufsStand();
    await stand.start();
    await stand.commit('base', '', (root) => {
      writeFileSync(join(root, 'low'), 'low');
      writeFileSync(join(root, 'removed'), 'low');
    });
  });
  afterEach(() => stand.remove());

  it('are told of, with what makes them', async () => {
    const { driver } = await stand.channel.unary(DriverServiceService.getDriver, {});
    expect(driver?.name).toBe('aufs');
    expect(driver?.implementation).toMatch(/^(?:kernel aufs|teu-union \(FUSE( passthrough)?\))/);
    expect(stand.service.logs()).toContain(driver?.implementation);
  });

  it('have whiteouts in the form of AUFS, and are only where something is put together', async () => {
    await stand.snapshots.view('v', 'base');
    expect(unionPids(stand.root)).toEqual([]);
    await stand.snapshots.prepare('a', 'base');
    expect(unionPids(stand.root)).toHaveLength(1);
    const place = await stand.mount('a');
    rmSync(join(place, 'removed'));
    expect(existsSync(join(stand.layer(3), '.wh.removed'))).toBe(true);
    expect(readdirSync(place)).toEqual(['low']);
    await stand.unmount(place);
  });

  it('are unmounted when their snapshot is committed or removed', async () => {
    await stand.snapshots.prepare('a', 'base');
    await stand.snapshots.prepare('b', 'base');
    await stand.snapshots.commit('c', 'a');
    expect(unionPids(stand.root)).toHaveLength(1);
    await stand.snapshots.remove('b');
    await stand.snapshots.cleanup();
    expect(unionPids(stand.root)).toEqual([]);
    expect(unionPoints(stand.root)).toEqual([]);
    for (const name of ['m', 'c']) expect(readdirSync(join(stand.root, name))).toEqual([]);
  });

  it('are mounted again when their process was killed', async () => {
    await stand.snapshots.prepare('a', 'base');
    const first = await stand.mount('a');
    writeFileSync(join(first, 'own'), 'own');
    await stand.unmount(first);
    const [pid = 0] = unionPids(stand.root);
    process.kill(pid, 'SIGKILL');
    await waitFor(() => unionPids(stand.root).length === 0);
    const second = await stand.mount('a');
    expect(readdirSync(second).sort()).toEqual(['low', 'own', 'removed']);
    expect(unionPids(stand.root)).toHaveLength(1);
    expect(unionPids(stand.root)).not.toContain(pid);
    await stand.unmount(second);
  });

  it('go on without the service, and are found again by the next', async () => {
    await stand.commit('next', '', (root) => writeFileSync(join(root, 'new'), 'new'));
    await stand.snapshots.prepare('a', 'base');
    await stand.snapshots.prepare('b', 'base');
    const place = await stand.mount('a');
    const pids = unionPids(stand.root);
    await stand.kill();
    writeFileSync(join(place, 'meanwhile'), 'own');
    expect(readFileSync(join(place, 'low'), 'utf8')).toBe('low');

    await stand.start();
    expect(unionPids(stand.root)).toEqual(pids);
    const again = await stand.mount('a');
    expect(readFileSync(join(again, 'meanwhile'), 'utf8')).toBe('own');
    expect(unionPids(stand.root)).toEqual(pids);
    const request = { key: 'a', parent: 'next', expectedParent: 'base' };
    const answer = await stand.channel.unary(DriverServiceService.setParent, request);
    expect(answer).toEqual({ isLive: true });
    expect(readdirSync(place).sort()).toEqual(['meanwhile', 'new']);
    for (const each of [place, again]) await stand.unmount(each);
  });

  it('outlive the end of the service if somebody uses them, and only then', async () => {
    await stand.snapshots.prepare('used', 'base');
    await stand.snapshots.prepare('unused', 'base');
    const place = await stand.mount('used');
    await stand.stop();
    expect(unionPids(stand.root)).toHaveLength(1);
    writeFileSync(join(place, 'meanwhile'), 'own');
    await stand.start();
    const pids = unionPids(stand.root);
    const again = await stand.mount('used');
    expect(readFileSync(join(again, 'meanwhile'), 'utf8')).toBe('own');
    expect(unionPids(stand.root)).toEqual(pids);
    for (const each of [place, again]) await stand.unmount(each);
    await stand.stop();
    expect(unionPids(stand.root)).toEqual([]);
    expect(unionPoints(stand.root)).toEqual([]);
    for (const name of ['m', 'c']) expect(readdirSync(join(stand.root, name))).toEqual([]);
  });

  it('are not merged while somebody has them mounted', async () => {
    await stand.snapshots.prepare('a', 'base');
    const place = await stand.mount('a');
    writeFileSync(join(place, 'low'), 'edited');
    const request = { key: 'a', expectedParent: 'base' };
    const merge = () => stand.channel.unary(DriverServiceService.mergeIntoParent, request);
    await expect(merge()).rejects.toMatchObject({ reason: 'INVALID_STATE' });
    expect(readFileSync(join(stand.layer(1), 'low'), 'utf8')).toBe('low');
    await stand.unmount(place);
    expect((await merge()).changedCount).toBeGreaterThan(0);
    expect(readFileSync(join(stand.layer(1), 'low'), 'utf8')).toBe('edited');
  });

  it('show new parents after a crash that kept them from it', async () => {
    await stand.commit('next', '', (root) => writeFileSync(join(root, 'new'), 'new'));
    await stand.snapshots.prepare('a', 'base');
    const place = await stand.mount('a');
    await stand.stop();
    await stand.start({ TEU_FAILPOINTS: 'storage.reparent.after-row=kill' });
    const request = { key: 'a', parent: 'next', expectedParent: 'base' };
    const call = stand.channel.unary(DriverServiceService.setParent, request);
    await expect(call).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    await stand.service.exited;
    expect(readdirSync(place).sort()).toEqual(['low', 'removed']);
    await stand.start();
    expect(readdirSync(place)).toEqual(['new']);
    await stand.unmount(place);
  });

  it('are made again after a reboot', async () => {
    await stand.snapshots.prepare('a', 'base');
    const place = await stand.mount('a');
    writeFileSync(join(place, 'own'), 'own');
    rmSync(join(place, 'removed'));
    await stand.unmount(place);
    await stand.kill();
    await endUnions(stand.root);
    await stand.start();
    const again = await stand.mount('a');
    expect(readdirSync(again).sort()).toEqual(['low', 'own']);
    await stand.unmount(again);
  });

  it('take no second one on the same branches', async () => {
    await stand.snapshots.prepare('a', 'base');
    const place = await stand.mount('a');
    const [point = ''] = unionPoints(stand.root);
    await stand.unmountOnly(point);
    await expect(stand.snapshots.mounts('a')).rejects.toMatchObject({ reason: 'STORAGE_FAILED' });
    expect(unionPids(stand.root)).toHaveLength(1);
    await stand.unmount(place);
    await waitFor(() => unionPids(stand.root).length === 0);
    const again = await stand.mount('a');
    expect(readdirSync(again)).toContain('low');
    await stand.unmount(again);
  });

  it(`may be ${MANY} at a time`, async () => {
    const keys = Array.from({ length: MANY }, (_, index) => `a${index}`);
    await Promise.all(keys.map((key) => stand.snapshots.prepare(key, 'base')));
    expect(unionPids(stand.root)).toHaveLength(MANY);
    for (const key of ['a0', `a${MANY - 1}`]) {
      const place = await stand.mount(key);
      writeFileSync(join(place, 'mine'), key, { flag: 'wx' });
      await stand.unmount(place);
    }
    await stand.kill();
    await stand.start();
    expect(unionPids(stand.root)).toHaveLength(MANY);
    await Promise.all(keys.map((key) => stand.snapshots.remove(key)));
    await stand.snapshots.cleanup();
    expect(unionPids(stand.root)).toEqual([]);
    expect(unionPoints(stand.root)).toEqual([]);
  });
});
