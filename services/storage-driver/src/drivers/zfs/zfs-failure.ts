/** What a failed command of zfs(8) was about, as far as a driver must know. */
export type ZfsFailureKind =
  'busy' | 'exists' | 'missing' | 'full' | 'below-use' | 'timeout' | 'other';

/**
 * zfs(8) ends with 1 whatever went wrong and tells it in words alone. These are the ones of libzfs
 * (libzfs_util.c), the same since OpenSolaris and not translated without a locale.
 */
const WORDS: readonly (readonly [ZfsFailureKind, RegExp])[] = [
  ['missing', /dataset does not exist|could not find any snapshots to destroy/],
  ['exists', /dataset already exists/],
  ['below-use', /size is less than current used or reserved space/],
  ['full', /out of space|No space left on device/],
  ['busy', /\bbusy\b|unmount failed|has dependent clones|already mounted/],
];

/** A command of zfs(8) that failed. */
export class ZfsFailure extends Error {
  readonly kind: ZfsFailureKind;

  constructor(kind: ZfsFailureKind, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'ZfsFailure';
    this.kind = kind;
  }
}

/** Makes the error of a command from what it wrote to its standard error. */
export function failureOf(command: string, said: string, cause: unknown): ZfsFailure {
  const [kind = 'other'] = WORDS.find(([, words]) => words.test(said)) ?? [];
  return new ZfsFailure(kind, `${command}: ${said.trim()}`, { cause });
}

/** Tells whether an error is a failed command of one of these kinds. */
export function isZfsFailure(error: unknown, ...kinds: ZfsFailureKind[]): error is ZfsFailure {
  return error instanceof ZfsFailure && kinds.includes(error.kind);
}
