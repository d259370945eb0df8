import { requires } from '@teu/testing';
import { expect, it } from 'vitest';
import { BtrfsFixture, MEGABYTE } from './testing/btrfs-fixture.js';

const POINTS = [
  'storage.create.after-storage',
  'storage.commit.after-persist',
  'storage.remove.after-row',
  'storage.remove.after-discard',
];
const LIMIT = { 'containerd.io/snapshot/max-size': String(8 * MEGABYTE) };

it.runIf(requires('root', 'btrfs', 'loop', 'mkfs.btrfs', 'python3')).each(POINTS)(
  'limits leave no qgroups behind after a crash at %s',
  { timeout: 60_000 },
  async (point) => {
    const btrfs = await BtrfsFixture.make();
    try {
      await btrfs.makeLayer('base');
      await btrfs.snapshots.prepare('other', 'base', LIMIT);
      await btrfs.service.stop();
      await btrfs.start({ TEU_FAILPOINTS: `${point}=kill` });
      const steps = async (): Promise<void> => {
        await btrfs.snapshots.prepare('a', 'base', LIMIT);
        await btrfs.snapshots.commit('top', 'a');
        await btrfs.snapshots.remove('other');
      };
      await expect(steps()).rejects.toMatchObject({ status: 'UNAVAILABLE' });
      expect(await btrfs.service.exited).toMatchObject({ signal: 'SIGKILL' });

      await btrfs.start();
      for (const name of ['top', 'a', 'other']) {
        await btrfs.snapshots.remove(name).catch(() => undefined);
      }
      await btrfs.snapshots.cleanup();
      // Of the top level, and of "base".
      expect(btrfs.qgroups()).toHaveLength(2);
    } finally {
      await btrfs.remove();
    }
  },
);
