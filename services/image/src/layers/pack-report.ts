import { internalError, teuError } from '@teu/errors';

/** An archive that teu-pack has written. */
export interface PackedArchive {
  bytes: number;
  /** Of the whole; of files only. */
  digest: string;
}

/** Why teu-pack could not; see native/src/pack/README.md. */
export interface PackFailure {
  code: string;
  message: string;
  step: string;
  /** Digest of the blob to blame; empty if none is. */
  entry: string;
  errnoName: string;
}

export type PackAnswer =
  { kind: 'done'; archive: PackedArchive } | { kind: 'failed'; failure: PackFailure };

/** Reads the last line that teu-pack prints; undefined if it is not one. */
export function parsePackAnswer(line: string): PackAnswer | undefined {
  let answer: Record<string, unknown>;
  try {
    answer = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const text = (name: string): string => {
    const value = answer[name];
    return typeof value === 'string' ? value : '';
  };
  if (typeof answer['code'] !== 'string') {
    return { kind: 'done', archive: { bytes: Number(answer['bytes']), digest: text('digest') } };
  }
  const failure = {
    code: answer['code'],
    message: text('message'),
    step: text('step'),
    entry: text('entry'),
    errnoName: text('errnoName'),
  };
  return { kind: 'failed', failure };
}

/** The error for an archive that could not be written. */
export function packFailure(failure: PackFailure): Error {
  const { code, message, step, entry, errnoName } = failure;
  const metadata = { step, ...(errnoName === '' ? {} : { errno: errnoName }) };
  switch (code) {
    case 'DIGEST_MISMATCH':
      return teuError('DIGEST_MISMATCH', `a stored blob: expected ${entry}, got ${message}`, {
        metadata: { what: 'a stored blob', expected: entry, actual: message },
      });
    case 'BLOB_MISSING':
      return teuError('BLOB_NOT_FOUND', `the blob ${entry} is not in the store`, {
        metadata: { digest: entry },
      });
    case 'SYSCALL':
      if (errnoName === 'ENOSPC' || errnoName === 'EDQUOT') {
        return teuError(
          'STORAGE_FULL',
          'the disk has no room for the archive; nothing is left of it',
          {
            metadata,
          },
        );
      }
      return teuError(
        'STORAGE_FAILED',
        `the archive cannot be written (${errnoName} at "${step}")`,
        {
          metadata,
        },
      );
    default:
      return internalError(new Error(`teu-pack: ${code}: ${message}`));
  }
}
