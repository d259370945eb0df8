import { requires, runProgram } from '@teu/testing';
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { DmFixture } from './testing/dm-fixture.js';
import { loadThinPools, SMALL_POOL } from './testing/thin-pools.js';

loadThinPools();

// Pool and records are two stores. Here one of them is not as the other has left it.
describe.runIf(requires('root', 'device_mapper', 'ext4', 'loop', 'mkfs.ext4'))(
  'devicemapper, its pool and its records',
  () => {
    let dm: DmFixture;
    afterEach(async () => {
      await dm.remove();
      expect(dm.devices()).toEqual([]);
    });
    const write = (root: string): void => writeFileSync(join(root, 'file'), 'x');
    const volumes = () =>
      dm.withPool(async (pool) => (await pool.volumes()).map(({ volume }) => volume));

    it('volumes without a record go, records without a volume are made again or damaged', async () => {
      dm = await DmFixture.make();
      await dm.makeLayer('base', '', write);
      await dm.makeLayer('lost', '', write);
      await dm.snapshots.prepare('a', 'base');
      await dm.stop();
      await dm.withPool(async (pool) => {
        await pool.delete(4);
        await pool.delete(6);
        for (const volume of [80, 81]) await pool.snapshot(2, volume);
      });
      expect(await volumes()).toEqual([0, 2, 80, 81]);
      await dm.start();
      await dm.snapshots.cleanup();
      expect(await volumes()).toEqual([0, 2, 6]);
      await dm.withMounted(await dm.snapshots.mounts('a'), (root) => {
        expect(readFileSync(join(root, 'file'), 'utf8')).toBe('x');
      });
      await expect(dm.snapshots.prepare('b', 'lost')).rejects.toMatchObject({
        status: 'DATA_LOSS',
      });
      // Numbers of what was there are not given again.
      await dm.snapshots.prepare('b', 'base');
      expect(Math.max(...(await volumes()))).toBeGreaterThan(81);
    });

    it('a directory that was put back, or a pool, is told and worked with', async () => {
      dm = await DmFixture.make();
      await dm.makeLayer('base', '', write);
      await dm.stop();
      const before = join(dm.directory.path, 'before');
      cpSync(join(dm.root, 'pool.json'), before);
      await dm.start();
      await dm.stop();
      await dm.start();
      await dm.stop();
      cpSync(before, join(dm.root, 'pool.json'));
      const { owner } = dm.claim;
      await dm.start();
      expect(dm.claim).toMatchObject({ owner, generation: 4 });
      await dm.stop();
      await dm.withPool(async (pool) => {
        await pool.setTransaction(owner * 2 ** 24 + 4, owner * 2 ** 24 + 1);
      });
      await dm.start();
      expect(dm.claim.generation).toBe(5);
      await dm.snapshots.prepare('a', 'base');
    });

    it('a pool that somebody else has used is refused, and so is one of somebody else', async () => {
      dm = await DmFixture.make();
      await dm.makeLayer('base', '', write);
      await dm.stop();
      const { owner, generation } = dm.claim;
      const own = owner * 2 ** 24 + generation;
      await dm.withPool((pool) => pool.setTransaction(own, 7));
      await expect(dm.start()).rejects.toMatchObject({
        reason: 'DRIVER_UNSUPPORTED',
        message: expect.stringMatching(/somebody else has used it .* 2 volumes in it/) as string,
      });
      await dm.withPool((pool) => pool.setTransaction(7, own));
      await dm.start();
      const { pool } = dm.claim;
      const other = DmFixture.make(['--dm-pool', pool]);
      await expect(other).rejects.toMatchObject({
        message: expect.stringContaining('2 volumes of somebody else') as string,
      });
    });

    it('volumes of others in its pool are told, and left alone', async () => {
      dm = await DmFixture.make();
      await dm.stop();
      const { owner, generation } = dm.claim;
      const own = owner * 2 ** 24 + generation;
      await dm.withPool(async (pool) => {
        await pool.setTransaction(own, 7);
        await pool.create(900);
        await pool.setTransaction(7, own);
      });
      await dm.start();
      await dm.snapshots.cleanup();
      expect(await volumes()).toEqual([0, 900]);
    });

    it('a pool that is given is left as it is found, but for the volumes', async () => {
      dm = await DmFixture.make();
      await dm.stop();
      const { pool } = dm.claim;
      const files = join(dm.root, 'pool');
      // The same pool, as its owner would have made it.
      await dm.withPool(async (found) => {
        await found.delete(0);
        const { transaction } = await found.status();
        await found.setTransaction(transaction, 12);
      });
      const given = await DmFixture.make(['--dm-pool', pool, ...SMALL_POOL.slice(0, 2)]);
      await given.makeLayer('base', '', write);
      expect(given.claim.owner).not.toBe(dm.claim.owner);
      await given.remove();
      expect(dm.devices()).toEqual([pool]);
      const { code, stderr } = await runProgram('dmsetup', ['remove', pool]);
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
      expect(readFileSync(join(files, 'metadata')).length).toBeGreaterThan(0);
      await expect(dm.start(['--dm-pool', pool])).rejects.toThrow('remove the option');
    });
  },
);
