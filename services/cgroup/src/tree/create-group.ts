import { existsSync, mkdirSync, rmdirSync } from 'node:fs';
import { teuError } from '@teu/errors';
import { NO_LIMITS, sameLimits, type Limits } from '../domain/limits.js';
import { completeLimits, type RequestedLimits } from '../domain/requested-limits.js';
import type { CgroupTree } from './cgroup-tree.js';
import { isErrno } from './group-files.js';
import {
  canLimit,
  changedFiles,
  checkSupported,
  inForce,
  readLimits,
  writeLimit,
} from './group-limits.js';
import { readProcesses } from './group-processes.js';

/**
 * Makes a group in every hierarchy and limits it. One without limits comes
 * last, after them: a group that exists there is complete.
 *
 * Without limits this is one mkdir(2) per hierarchy: what children inherit was set on the parent.
 *
 * @returns The limits in force.
 * @throws CGROUP_EXISTS if the group exists with other limits; RESOURCE_UNSUPPORTED
 */
export function createGroup(tree: CgroupTree, id: string, requested: RequestedLimits): Limits {
  checkSupported(tree, requested);
  const limits = completeLimits(requested, NO_LIMITS, canLimit(tree, 'memorySwap'));
  if (!makeNew(tree, id, limits)) {
    if (isComplete(tree, id)) {
      checkSame(tree, id, limits);
    } else {
      // Left by a crash in the middle of a create or a delete; no process was ever told of it.
      for (const path of tree.groups(id).reverse()) removeIfThere(path);
      if (!makeNew(tree, id, limits)) throw exists(id);
    }
  }
  return inForce(tree, limits);
}

/** @returns False if some part of the group was there already; then nothing was changed. */
function makeNew(tree: CgroupTree, id: string, limits: Limits): boolean {
  const made: string[] = [];
  const make = (path: string): void => {
    makeGroup(tree, path);
    made.push(path);
  };
  const paths = tree.groups(id);
  const last = tree.lastMarksComplete ? paths.pop() : undefined;
  try {
    for (const path of paths) make(path);
    for (const file of changedFiles(tree, NO_LIMITS, limits)) writeLimit(tree, id, file, limits);
    if (last !== undefined) make(last);
    return true;
  } catch (error) {
    for (const path of made.reverse()) removeIfThere(path);
    if (isErrno(error, 'EEXIST')) return false;
    throw error;
  }
}

function makeGroup(tree: CgroupTree, path: string): void {
  try {
    mkdirSync(path, 0o755);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
    tree.makeParents();
    mkdirSync(path, 0o755);
  }
}

function isComplete(tree: CgroupTree, id: string): boolean {
  if (tree.lastMarksComplete) return existsSync(tree.lastGroup(id));
  // In a tree of one hierarchy the limits come after the directory. Without limits and without
  // processes nothing tells it from one that was left unfinished, and nothing is lost by making it again.
  if (tree.groups(id).some((path) => !existsSync(path))) return false;
  return (
    !sameLimits(readLimits(tree, id), NO_LIMITS) || readProcesses(tree.processGroup(id)).length > 0
  );
}

function checkSame(tree: CgroupTree, id: string, limits: Limits): void {
  if (!sameLimits(readLimits(tree, id), inForce(tree, limits))) throw exists(id);
}

function exists(id: string): Error {
  return teuError('CGROUP_EXISTS', `cgroup "${id}" exists already, with other limits`, {
    metadata: { cgroup: id },
  });
}

function removeIfThere(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}
