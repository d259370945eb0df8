import { rm } from 'node:fs/promises';
import type { Branch, Permission } from '../branch.js';
import { isUnionError, UnionError, type UnionBackend, type UnionPlace } from '../union-backend.js';
import { askUnion, waitForEnd } from './control-socket.js';
import { runUnion } from './union-program.js';

/** As many layers as the other drivers take, and the one that is written to. */
const MAX_BRANCHES = 129;
const START_MS = 20_000;
/** What is unmounted has to write nothing more: the branches have it. */
const END_MS = 5_000;
/** The kernel is told of every name that it remembers. */
const CHANGE_MS = 60_000;
/** Files of several names become one again, and that takes as long as there is data. */
const FLUSH_MS = 10 * 60_000;
const BRANCH = /^(rw|ro|ro\+wh)=(.*)$/s;

/**
 * Unions by teu-union, a process for each, which serves the kernel's FUSE and lives as long as it is
 * mounted anywhere.
 */
export class UserUnions implements UnionBackend {
  readonly implementation: string;
  readonly maxBranches = MAX_BRANCHES;
  readonly #program: string;

  /**
   * @param program - Path of teu-union.
   * @param hasPassthrough - Whether the kernel reads and writes files of branches by itself.
   */
  constructor(program: string, hasPassthrough: boolean) {
    this.#program = program;
    this.implementation = hasPassthrough ? 'teu-union (FUSE passthrough)' : 'teu-union (FUSE)';
  }

  async start({ mountPoint, file }: UnionPlace, branches: readonly Branch[]): Promise<void> {
    // Never two on the same branches: one that is alive is somebody's, though not mounted here any more.
    if (!(await waitForEnd(file, END_MS))) throw new UnionError('EBUSY', 'mounting a union again');
    await rm(file, { force: true });
    const args = ['mount', '--mount-point', mountPoint, '--control', file];
    for (const { path, permission } of branches) args.push('--branch', `${path}=${permission}`);
    await runUnion(this.#program, args, { timeoutMs: START_MS, until: 'ready' });
  }

  async isAlive({ file }: UnionPlace): Promise<boolean> {
    try {
      await askUnion(file, ['ping']);
      return true;
    } catch (error) {
      if (isUnionError(error, 'ENOTCONN')) return false;
      throw error;
    }
  }

  async branches({ file }: UnionPlace): Promise<Branch[]> {
    return (await askUnion(file, ['branches'])).map(parseBranch);
  }

  async set({ file }: UnionPlace, branches: readonly Branch[]): Promise<boolean> {
    const words = branches.map(({ path, permission }) => `${permission}=${path}`);
    await askUnion(file, ['set', ...words], CHANGE_MS);
    return true;
  }

  async refresh({ file }: UnionPlace): Promise<void> {
    await askUnion(file, ['refresh'], CHANGE_MS);
  }

  async flush({ file }: UnionPlace): Promise<void> {
    await askUnion(file, ['flush'], FLUSH_MS);
  }

  async ended({ file }: UnionPlace): Promise<void> {
    // One that was killed has left its socket.
    if (await waitForEnd(file, END_MS)) await rm(file, { force: true });
  }
}

function parseBranch(word: string): Branch {
  const [, permission, path] = BRANCH.exec(word) ?? [];
  if (path === undefined) throw new UnionError('EPROTO', 'reading the branches of a union');
  return { path, permission: permission as Permission };
}
