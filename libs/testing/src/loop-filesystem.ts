import { mkdirSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { imageDirectory } from './image-directory.js';
import { runProgram } from './run-program.js';
import { tempDir } from './temp-dir.js';
import { waitFor } from './wait-for.js';

/** A file system in a file, whose power can be cut. */
export interface LoopFilesystem {
  /** Where it is mounted. */
  readonly path: string;
  /**
   * What a power cut does: from here on nothing reaches the disk that `restart` mounts, not even the
   * journal. With ext4 all writes fail with EIO (EXT4_IOC_SHUTDOWN with NOLOGFLUSH). btrfs goes on
   * with the disk as if nothing had happened, and a copy of the disk as it is now comes back: have
   * nothing written meanwhile.
   */
  cutPower(): Promise<void>;
  /** Mounts again, with what the disk had at the power cut. Everything in it must be closed. */
  restart(): Promise<void>;
  /** Unmounts it and removes it. */
  remove(): void;
}

/** `_IOR('X', 125, __u32)` of fs/ext4/ext4.h, and its flag EXT4_GOING_FLAGS_NOLOGFLUSH. */
const SHUTDOWN = `
import fcntl, os, struct, sys
fcntl.ioctl(os.open(sys.argv[1], os.O_RDONLY), 0x8004587D, struct.pack('I', 2))`;

/**
 * Makes and mounts a file system of the given size; btrfs wants 110 MiB. Needs the features root, loop
 * and mkfs of the type.
 */
export async function loopFilesystem(
  bytes: number,
  type: 'ext4' | 'btrfs' = 'ext4',
): Promise<LoopFilesystem> {
  const directory = tempDir(imageDirectory(bytes));
  let image = join(directory.path, 'disk');
  const path = join(directory.path, 'mounted');
  writeFileSync(image, '');
  truncateSync(image, bytes);
  mkdirSync(path);
  // Seconds: what is written by itself now and then would make a power cut kinder than it may be.
  const options = 'loop,commit=300';
  const mount = (): Promise<void> => succeed('mount', '-o', options, image, path);
  const copy = (from: string, to: string): Promise<void> =>
    succeed('cp', '--sparse=always', from, to);
  await succeed(`mkfs.${type}`, '-q', image);
  await mount();
  let cut: string | undefined;
  return {
    path,
    cutPower: async () => {
      if (type === 'ext4') {
        await succeed('/usr/bin/python3', '-c', SHUTDOWN, path);
      } else {
        cut = `${image}.cut`;
        await copy(image, cut);
      }
    },
    restart: async () => {
      // A program that was killed may hold files a moment longer than it can be seen.
      await waitFor(() => succeed('umount', path).then(() => true));
      // A copy, because a mount namespace that somebody made meanwhile may hold the old mount, and
      // then the same file would come back as the same file system, still without power.
      await copy(cut ?? image, `${image}.again`);
      image = `${image}.again`;
      cut = undefined;
      await mount();
    },
    remove: () => directory.remove(),
  };
}

async function succeed(program: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await runProgram(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
