import { readdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { ownMounts } from '../../mount-info.js';
import type { Branch, Permission } from '../branch.js';
import { runMountProgram } from '../mount-program.js';
import { isUnionError, UnionError, type UnionBackend, type UnionPlace } from '../union-backend.js';
import { changeOptions, mountOptions } from './mount-options.js';

/** What a module has room for unless it was built for more (CONFIG_AUFS_BRANCH_MAX_127). */
const MAX_BRANCHES = 127;
const SYSFS = '/sys/fs/aufs';
const PERMISSIONS: ReadonlySet<string> = new Set(['rw', 'ro', 'ro+wh']);

/**
 * Unions by the kernel's own AUFS, where there is one. Mounted here, in the host's namespace, and shown
 * to others by bind: only a mount that this process has can be given other branches later.
 */
export class KernelUnions implements UnionBackend {
  readonly implementation: string;
  readonly maxBranches = MAX_BRANCHES;

  /** @param version - As the module tells it; empty if it does not. */
  constructor(version: string) {
    this.implementation = version === '' ? 'kernel aufs' : `kernel aufs ${version}`;
  }

  async start({ mountPoint, file }: UnionPlace, branches: readonly Branch[]): Promise<void> {
    const [first = [], ...rest] = mountOptions(branches, { xino: file });
    await mountAufs(mountPoint, first);
    try {
      for (const options of rest) await mountAufs(mountPoint, options);
    } catch (error) {
      await runMountProgram('umount', ['--lazy', '--', mountPoint]);
      throw error;
    }
  }

  /** There is no process that could die. */
  isAlive(): Promise<boolean> {
    return Promise.resolve(true);
  }

  /** Reads /sys/fs/aufs/si_<id>/br<number> (aufs(5), "Sysfs"). */
  async branches({ mountPoint }: UnionPlace): Promise<Branch[]> {
    const mount = ownMounts().findLast((each) => each.mountPoint === mountPoint);
    const id = /(?:^|,)si=([0-9a-f]+)/.exec(mount?.options ?? '')?.[1];
    if (id === undefined) throw new UnionError('ENOENT', 'finding the branches of a union');
    const directory = join(SYSFS, `si_${id}`);
    const numbers = (await readdir(directory))
      .flatMap((name) => /^br([0-9]+)$/.exec(name)?.[1] ?? [])
      .map(Number)
      .sort((one, other) => one - other);
    const texts = numbers.map((number) => readFile(join(directory, `br${number}`), 'utf8'));
    return (await Promise.all(texts)).map(parseBranch);
  }

  /** AUFS lets go of no branch in which a file is open: then all stays as it was. */
  async set(place: UnionPlace, branches: readonly Branch[]): Promise<boolean> {
    const before = await this.branches(place);
    try {
      for (const options of changeOptions(before, branches)) {
        await mountAufs(place.mountPoint, options);
      }
      return true;
    } catch (error) {
      if (!isUnionError(error, 'EBUSY')) throw error;
      const now = await this.branches(place);
      for (const options of changeOptions(now, before)) await mountAufs(place.mountPoint, options);
      return false;
    }
  }

  /** With udba=reval it does so at every look. */
  async refresh(): Promise<void> {
    await Promise.resolve();
  }

  /** Without pseudo-links there is nothing that only the mount knows. */
  async flush(): Promise<void> {
    await Promise.resolve();
  }

  /** AUFS unlinks its table as soon as it has it open; one that a crash left is removed here. */
  async ended({ file }: UnionPlace): Promise<void> {
    await rm(file, { force: true });
  }
}

async function mountAufs(mountPoint: string, options: readonly string[]): Promise<void> {
  const how = ['--types', 'aufs', '--options', options.join(',')];
  await runMountProgram('mount', [...how, '--', 'none', mountPoint]);
}

function parseBranch(line: string): Branch {
  const text = line.trimEnd();
  const divider = text.lastIndexOf('=');
  const permission = text.slice(divider + 1);
  if (!PERMISSIONS.has(permission)) {
    throw new UnionError('EPROTO', `a branch has the permission "${permission}"`);
  }
  return { path: text.slice(0, divider), permission: permission as Permission };
}
