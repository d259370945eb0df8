import { teuError } from '@teu/errors';
import type { Hierarchy } from '../../domain/host.js';
import type { CgroupTree } from '../cgroup-tree.js';
import { isErrno, writeGroupFile, writeToGroupFile } from '../group-files.js';

/** One write to a file of a group. */
export interface GroupWrite {
  /** The group, if it is another than the one that is changed: one in it. */
  readonly group?: string;
  readonly hierarchy: Hierarchy;
  readonly file: string;
  readonly text: string;
  /** Field of the request that asks for it, for errors. */
  readonly field: string;
  /** What to write, in this order, to have it as it was. Not needed for a new group, which goes as a whole. */
  readonly undo?: readonly string[];
  /**
   * Set if it may take long (slow-writes.ts): because the kernel frees memory for it, because memory is to be freed before
   * it, or because the kernel moves memory.
   */
  readonly slow?: 'frees' | 'frees first' | 'moves' | undefined;
  /** Done before it. */
  readonly prepare?: () => void;
}

/** Errors of the kernel that say that this host does not have what was asked for. */
const UNSUPPORTED = ['ENOENT', 'EOPNOTSUPP'] as const;
/** Errors that say that the value is not possible here. */
const REFUSED = ['EINVAL', 'ERANGE', 'ENODEV', 'ENXIO', 'EACCES', 'EPERM', 'ENOSPC'] as const;

/**
 * Writes one file.
 *
 * @throws INVALID_STATE if more is in use than the limit allows, INVALID_ARGUMENT if the kernel refuses the
 *   value, RESOURCE_UNSUPPORTED if it has no such file for this group
 */
export function performWrite(tree: CgroupTree, id: string, write: GroupWrite): void {
  write.prepare?.();
  try {
    writeGroupFile(pathOf(tree, id, write), write.text);
  } catch (cause) {
    throw refusalOf(write, id, cause);
  }
}

/** Writes one file several times. Throws what performWrite does, for the text that is refused. */
export function performWrites(
  tree: CgroupTree,
  id: string,
  write: Pick<GroupWrite, 'hierarchy' | 'file' | 'field'>,
  texts: readonly string[],
): void {
  if (texts.length === 0) return;
  let text = '';
  try {
    writeToGroupFile(pathOf(tree, id, write), (writeText) => {
      for (text of texts) writeText(text);
    });
  } catch (cause) {
    throw refusalOf({ ...write, text }, id, cause);
  }
}

/** Writes what sets a write back. Throws Node's error. */
export function undoWrite(tree: CgroupTree, id: string, write: GroupWrite): void {
  for (const text of write.undo ?? []) writeGroupFile(pathOf(tree, id, write), text);
}

/** Path of the file that is written. */
export function pathOf(
  tree: CgroupTree,
  id: string,
  { hierarchy, file, group = id }: Pick<GroupWrite, 'hierarchy' | 'file' | 'group'>,
): string {
  return `${tree.groupIn(hierarchy, group)}/${file}`;
}

/** What is told of an error of the kernel. */
export function refusalOf(
  { field, text: line }: Pick<GroupWrite, 'field' | 'text'>,
  id: string,
  cause: unknown,
): unknown {
  const text = line.trim();
  const metadata = { field, cgroup: id, value: text };
  if (isErrno(cause, 'EBUSY')) return inUse(field, id, text, cause);
  const code = String((cause as NodeJS.ErrnoException).code);
  if (isErrno(cause, ...UNSUPPORTED)) {
    const message = `this host cannot enforce ${field}: the kernel does not have it (${code})`;
    return teuError('RESOURCE_UNSUPPORTED', message, { metadata, cause });
  }
  if (!isErrno(cause, ...REFUSED)) return cause;
  const message = `${field} cannot be set to ${text}: the kernel does not take it (${code})`;
  return teuError('INVALID_ARGUMENT', message, { metadata, cause });
}

/** The error for a limit below what is in use. */
export function inUse(field: string, id: string, value: string, cause?: unknown): Error {
  const text = `${field} cannot be set to ${value}: more than that is in use and cannot be freed`;
  const metadata = { field, cgroup: id, value };
  return teuError('INVALID_STATE', text, { metadata, ...(cause !== undefined && { cause }) });
}
