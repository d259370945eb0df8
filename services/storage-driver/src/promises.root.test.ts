import { loopFilesystem, zfsPool } from '@teu/testing';
import { describePromises } from './testing/describe-promises.js';
import { startDriver } from './testing/start-driver.js';

const onDirectory = (driver: string) => (root: string) => startDriver(root, ['--driver', driver]);

describePromises('overlay2', { features: ['overlayfs'], open: onDirectory('overlay2') });
describePromises('aufs', { features: ['fuse'], open: onDirectory('aufs') });
describePromises('vfs', { open: onDirectory('vfs') });

describePromises('btrfs', {
  features: ['btrfs', 'loop', 'mkfs.btrfs'],
  open: async (root) => {
    const disk = await loopFilesystem(512 << 20, 'btrfs');
    const driver = await startDriver(root, ['--driver', 'btrfs', '--root', `${disk.path}/btrfs`]);
    const close = async (): Promise<void> => {
      await driver.close();
      disk.remove();
    };
    return { ...driver, close };
  },
});

describePromises('zfs', {
  features: ['fuse', 'zfs-fuse'],
  open: async (root) => {
    const pool = await zfsPool();
    const driver = await startDriver(root, ['--driver', 'zfs', '--zfs-dataset', pool.name]);
    const close = async (): Promise<void> => {
      await driver.close();
      await pool.remove();
    };
    return { ...driver, close };
  },
});
