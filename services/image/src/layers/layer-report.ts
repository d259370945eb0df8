import { isTeuError, teuError, type Reason } from '@teu/errors';

/** What teu-layer found out about a blob, and did. */
export interface LayerReport {
  /** Of the blob as it is. */
  digest: string;
  /** Of the uncompressed tar. */
  diffId: string;
  compression: 'none' | 'gzip' | 'zstd';
  blobBytes: number;
  tarBytes: number;
  /** Bytes of file content written; 0 if nothing was applied. */
  contentBytes: number;
  /** Entries written; 0 if nothing was applied. */
  entries: number;
}

/** Why teu-layer refused or could not; see native/src/layer/failure.h. */
export interface LayerFailure {
  code: string;
  message: string;
  step: string;
  /** Name of the entry to blame; empty if none is. */
  entry: string;
  offset: number;
  errnoName: string;
}

export type WorkerAnswer =
  { kind: 'done'; report: LayerReport } | { kind: 'failed'; failure: LayerFailure };

const NEEDS_PARENT = 'NEEDS_PARENT';

/** Reads the one line that teu-layer prints; undefined if it is not one. */
export function parseReport(line: string): WorkerAnswer | undefined {
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
  const number = (name: string): number => Number(answer[name] ?? 0);
  if (typeof answer['code'] === 'string') {
    const failure = {
      code: answer['code'],
      message: text('message'),
      step: text('step'),
      entry: text('entry'),
      offset: number('offset'),
      errnoName: text('errnoName'),
    };
    return { kind: 'failed', failure };
  }
  const report = {
    digest: text('digest'),
    diffId: text('diffId'),
    compression: text('compression') as LayerReport['compression'],
    blobBytes: number('blobBytes'),
    tarBytes: number('tarBytes'),
    contentBytes: number('contentBytes'),
    entries: number('entries'),
  };
  return { kind: 'done', report };
}

/** What a blob is to the one who reads it. */
export type BlobRole = 'layer' | 'archive';

/** The error for a blob that could not be read or applied: it names the entry and what is wrong with it. */
export function layerFailure(failure: LayerFailure, role: BlobRole): Error {
  const { code, message, step, entry, offset, errnoName } = failure;
  const subject =
    entry === '' ? `the ${role}` : `the entry ${JSON.stringify(entry)} of the ${role}`;
  const errno = errnoName === '' ? '' : ` (${errnoName} at "${step}")`;
  return teuError(reasonOf(failure, role), `${subject} cannot be unpacked: ${message}${errno}`, {
    metadata: {
      code,
      step,
      ...(entry === '' ? {} : { entry, offset: String(offset) }),
      ...(errnoName === '' ? {} : { errno: errnoName }),
    },
  });
}

/** Whether a layer that was unpacked without the one below cannot be, and has to be unpacked on top of it. */
export function needsParent(error: unknown): boolean {
  return isTeuError(error) && error.metadata['code'] === NEEDS_PARENT;
}

function reasonOf({ code, errnoName, step }: LayerFailure, role: BlobRole): Reason {
  if (code === 'LIMIT_EXCEEDED') return 'LAYER_TOO_LARGE';
  if (code === 'USAGE') return 'INTERNAL';
  if (code === 'BROKEN_OFF') return 'BLOB_BROKEN_OFF';
  if (code !== 'SYSCALL') return role === 'layer' ? 'LAYER_INVALID' : 'ARCHIVE_INVALID';
  // A sparse file may say that it is larger than any file can be.
  if (errnoName === 'EFBIG') return 'LAYER_TOO_LARGE';
  if (errnoName === 'ENOSPC' || errnoName === 'EDQUOT') return 'STORAGE_FULL';
  return step.includes('mounts') ? 'MOUNT_FAILED' : 'STORAGE_FAILED';
}
