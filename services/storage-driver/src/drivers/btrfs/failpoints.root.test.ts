import { requires } from '@teu/testing';
import { Kind } from '@teu/proto/snapshots';
import { rmdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { FAILPOINTS } from '../../failpoints.js';
import { BtrfsFixture, MEGABYTE } from './testing/btrfs-fixture.js';

/** Those on the way of the calls below; the others are tested with overlay2, on any file system alike. */
const POINTS = FAILPOINTS.filter((point) =>
  /^storage\.(create|commit|remove|recover)\./.test(point),
);
const LIMIT = { 'containerd.io/snapshot/max-size': String(8 * MEGABYTE) };

it.runIf(requires('root', 'btrfs', 'loop', 'mkfs.btrfs', 'python3')).each(POINTS)(
  'btrfs is sound after a crash at %s',
  { timeout: 60_000 },
  async (point) => {
    const btrfs = await BtrfsFixture.make();
    try {
      await btrfs.makeLayer('base');
      await btrfs.snapshots.prepare('other', 'base', LIMIT);
      await btrfs.service.stop();
      // As a power cut can leave it; rmdir(2) deletes an empty subvolume.
      if (point.startsWith('storage.recover')) {
        await btrfs.start();
        await btrfs.snapshots.prepare('empty');
        await btrfs.service.stop();
        rmdirSync(join(btrfs.service.dataDir, 'btrfs/l/3'));
      }

      const crashed = await btrfs.start({ TEU_FAILPOINTS: `${point}=kill` }).then(
        () => btrfs.service,
        () => undefined,
      );
      if (crashed !== undefined) {
        const steps = async (): Promise<void> => {
          await btrfs.snapshots.prepare('a', 'base', LIMIT);
          await btrfs.snapshots.commit('top', 'a');
          await btrfs.snapshots.remove('other');
        };
        await expect(steps()).rejects.toMatchObject({ status: 'UNAVAILABLE' });
        expect(await crashed.exited).toMatchObject({ signal: 'SIGKILL' });
      }

      await btrfs.start();
      for (const name of ['top', 'a', 'empty']) {
        await btrfs.snapshots.remove(name).catch(() => undefined);
      }
      await btrfs.expectWhole('base', ['base']);
      await btrfs.snapshots.cleanup();
      const listed = await btrfs.snapshots.list();
      expect(btrfs.folder('l')).toHaveLength(listed.length);
      expect(btrfs.folder('removing')).toEqual([]);
      // Of the top level, of each subvolume, and of the limit of "other".
      const limits = listed.filter(({ kind }) => kind === Kind.ACTIVE).length;
      expect(btrfs.qgroups()).toHaveLength(1 + listed.length + limits);
      // Whoever got no answer asks again with the same key.
      await btrfs.snapshots.prepare('a', 'base').catch(() => btrfs.snapshots.mounts('a'));
    } finally {
      await btrfs.remove();
    }
  },
);
