import { teuError, type Reason } from '@teu/errors';
import { ChangeKind, type Change } from '@teu/proto/image';

/** Why teu-graft could not do what it was asked for; the fields are those of its answer. */
export interface TreeFailure {
  code: string;
  message: string;
  step: string;
  /** Path in the tree; empty if none is to blame. */
  entry: string;
  errnoName: string;
}

/** A line of what teu-graft prints. */
export type TreeLine =
  | { kind: 'change'; change: Change }
  | { kind: 'done'; changedCount: number }
  | { kind: 'failed'; failure: TreeFailure };

const CHANGES: Readonly<Record<string, ChangeKind>> = {
  added: ChangeKind.CHANGE_KIND_ADDED,
  removed: ChangeKind.CHANGE_KIND_REMOVED,
  content: ChangeKind.CHANGE_KIND_CONTENT,
  attributes: ChangeKind.CHANGE_KIND_ATTRIBUTES,
};

/** Reads a line of teu-graft; undefined if it is not one. */
export function parseTreeLine(line: string): TreeLine | undefined {
  let fields: Record<string, unknown>;
  try {
    fields = JSON.parse(line) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const text = (name: string): string => {
    const value = fields[name];
    return typeof value === 'string' ? value : '';
  };
  if (typeof fields['changed'] === 'number') {
    return { kind: 'done', changedCount: fields['changed'] };
  }
  const kind = CHANGES[text('kind')];
  if (kind !== undefined) return { kind: 'change', change: { kind, path: text('path') } };
  if (text('code') === '') return undefined;
  const failure = {
    code: text('code'),
    message: text('message'),
    step: text('step'),
    entry: text('entry'),
    errnoName: text('errnoName'),
  };
  return { kind: 'failed', failure };
}

/** The error for trees that could not be compared or copied; it names the path and the step. */
export function treeFailure(failure: TreeFailure): Error {
  const { code, message, step, entry, errnoName } = failure;
  const where = entry === '' ? '' : ` at ${JSON.stringify(entry.slice(0, 4096))}`;
  const errno = errnoName === '' ? '' : ` (${errnoName})`;
  const text = `the trees cannot be worked on${where}: step "${step}": ${message}${errno}`;
  return teuError(reasonOf(failure), text, {
    metadata: {
      code,
      step,
      ...(entry === '' ? {} : { entry: entry.slice(0, 4096) }),
      ...(errnoName === '' ? {} : { errno: errnoName }),
    },
  });
}

function reasonOf({ code, errnoName, step }: TreeFailure): Reason {
  if (step.includes('mounts')) return 'MOUNT_FAILED';
  // Somebody wrote to a tree meanwhile.
  if (code === 'MOVED' || errnoName === 'ESTALE' || errnoName === 'ENOENT') return 'CONFLICT';
  if (code !== 'SYSCALL') return 'INTERNAL';
  if (errnoName === 'ENOSPC') return 'STORAGE_FULL';
  if (errnoName === 'EDQUOT') return 'QUOTA_EXCEEDED';
  return 'STORAGE_FAILED';
}
