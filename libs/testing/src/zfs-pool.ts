import { randomBytes } from 'node:crypto';
import { truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { mountTable } from './mount-table.js';
import { runProgram } from './run-program.js';
import { tempDir } from './temp-dir.js';
import { waitFor } from './wait-for.js';
import { zfsDaemon } from './zfs-daemon.js';

const COMMAND_MS = 10_000;
const POOL_OF_TEST = /^teu[0-9a-f]{8}(?:\/|$)/;

/** How a pool is made. */
export interface ZfsPoolOptions {
  /** Size of the pool; 512 MiB if absent. */
  readonly bytes?: number;
  /** Directory for the file that is its disk; a temporary one if absent. */
  readonly directory?: string;
  /** Whether files keep extended attributes, which zfs-fuse wants to be told. */
  readonly xattrs?: boolean;
}

/** A pool of zfs-fuse for a test. */
export interface ZfsPool {
  readonly name: string;
  /** Runs zfs(8) and gives what it wrote. @throws Error if it fails */
  zfs(...args: string[]): Promise<string>;
  /** Ends zfs-fuse without a warning. What was mounted fails from now on. */
  kill(): Promise<void>;
  /** Starts zfs-fuse and brings the pool back from its disk; datasets with canmount=noauto stay unmounted. */
  restart(): Promise<void>;
  /** Unmounts and destroys everything. */
  remove(): Promise<void>;
}

/** Makes a pool. Needs the features root, fuse and zfs-fuse; waits for the tests that have it now. */
export async function zfsPool(options: ZfsPoolOptions = {}): Promise<ZfsPool> {
  const { bytes = 512 << 20, xattrs = false } = options;
  const own = tempDir();
  const directory = options.directory ?? own.path;
  const name = `teu${randomBytes(4).toString('hex')}`;
  const daemon = await zfsDaemon(xattrs ? ['--enable-xattr'] : []);
  const zpool = (...args: string[]): Promise<string> => succeed('/usr/sbin/zpool', args);
  const remove = async (): Promise<void> => {
    await unmountAll();
    // What is still open would keep the pool; its disk goes away in any case.
    await zpool('destroy', name).catch(() => undefined);
    await daemon.close();
    await unmountAll();
    own.remove();
  };
  try {
    // What a test has left that was killed: with another daemon before this one, all of it is dead.
    await unmountAll();
    const disk = join(directory, 'pool');
    writeFileSync(disk, '');
    truncateSync(disk, bytes);
    // Without a cache file: a daemon of the host would else look for this pool at its next start.
    await zpool('create', '-o', 'cachefile=none', '-O', 'mountpoint=none', name, disk);
  } catch (error) {
    await remove();
    throw error;
  }
  return {
    name,
    zfs: (...args) => succeed('/usr/sbin/zfs', args),
    kill: async () => {
      await daemon.kill();
      await unmountAll();
    },
    restart: async () => {
      await daemon.start();
      await zpool('import', '-f', '-o', 'cachefile=none', '-d', directory, name);
    },
    remove,
  };
}

async function unmountAll(): Promise<void> {
  const mounted = (): string[] =>
    mountTable()
      .filter(({ type, source }) => type === 'fuse.zfs' && POOL_OF_TEST.test(source))
      .map(({ mountPoint }) => mountPoint);
  await waitFor(
    async () => {
      for (const path of mounted().reverse()) await succeed('umount', ['--lazy', path]);
      return mounted().length === 0;
    },
    { what: 'file systems of tests to be unmounted' },
  );
}

async function succeed(program: string, args: string[]): Promise<string> {
  const { code, stdout, stderr } = await runProgram(program, args, { timeoutMs: COMMAND_MS });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}
