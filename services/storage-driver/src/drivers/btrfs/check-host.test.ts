import { tempDir } from '@teu/testing';
import { readdirSync } from 'node:fs';
import { expect, it } from 'vitest';
import { checkBtrfsHost } from './open-btrfs-driver.js';

it('names the file system that is there instead of btrfs, and leaves nothing behind', async () => {
  // Never btrfs, whatever directories for tests are on.
  const root = '/proc/self';
  await expect(checkBtrfsHost(root)).rejects.toMatchObject({
    reason: 'DRIVER_UNSUPPORTED',
    message: expect.stringMatching(/on \S+ and has to be on btrfs/) as string,
  });
  using directory = tempDir();
  await checkBtrfsHost(directory.path).catch(() => undefined);
  expect(readdirSync(directory.path)).toEqual([]);
});
