import type { Branch } from './branch.js';

/** Where the union of a snapshot is. */
export interface UnionPlace {
  readonly id: number;
  /** Directory that it is mounted at. */
  readonly mountPoint: string;
  /** File beside it that belongs to it alone: a control socket, or a table of inode numbers. */
  readonly file: string;
}

/** One of the two ways to put branches together. All of it is about one mount at a time. */
export interface UnionBackend {
  /** As GetDriver tells it. */
  readonly implementation: string;
  /** Most branches of one union, the one that is written to among them. */
  readonly maxBranches: number;
  /** Mounts a union; nothing is mounted there. @throws UnionError, and nothing is mounted then */
  start(place: UnionPlace, branches: readonly Branch[]): Promise<void>;
  /** Whether what is mounted there answers. @throws UnionError "ETIMEDOUT" if it neither does nor has died */
  isAlive(place: UnionPlace): Promise<boolean>;
  /** Branches of a union that is alive. */
  branches(place: UnionPlace): Promise<Branch[]>;
  /**
   * Gives a union that is alive other branches.
   *
   * @returns Whether it has them now. Where it cannot, it stays as it was.
   */
  set(place: UnionPlace, branches: readonly Branch[]): Promise<boolean>;
  /** Has a union that is alive look at its branches afresh: they were changed without it. */
  refresh(place: UnionPlace): Promise<void>;
  /** Makes the branch that is written to good for being a layer by itself. */
  flush(place: UnionPlace): Promise<void>;
  /** Resolves when what was unmounted is gone, or after a while. */
  ended(place: UnionPlace): Promise<void>;
}

/** What a union, or a program that works for one, refused. `code` is the name of the errno. */
export class UnionError extends Error {
  override readonly name = 'UnionError';
  readonly code: string;

  constructor(code: string, what: string, options?: ErrorOptions) {
    super(`${what}: ${code}`, options);
    this.code = code;
  }
}

/** Whether an error is one of a union, of one of these codes. */
export function isUnionError(error: unknown, ...codes: readonly string[]): error is UnionError {
  return error instanceof UnionError && (codes.length === 0 || codes.includes(error.code));
}
