import { mkdirSync, readdirSync, rmdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Hierarchy } from '../domain/host.js';
import { isErrno, readGroupFile, writeGroupFile } from './group-files.js';

/**
 * A group beside the engines' that says that one of them had the root pass on what it did not before. It needs no
 * other memory: it outlives a crash, is there for all engines of the host, and goes with the tree at a reboot.
 */
const MARK = 'passed-on';

/**
 * Whether the controllers of a tree are passed on only when a limit of theirs is asked for. A controller that the root
 * passes on cannot be mounted as one of version 1 any more, which a host that has hugetlb alone in its tree of version
 * 2 may well do (cgroup-v2.rst, "Mounting").
 */
export function isPassedOnByNeed({ version, controllers }: Hierarchy): boolean {
  return version === 2 && controllers.length > 0 && controllers.every((name) => name === 'hugetlb');
}

/** Lets the children of a group have the controllers; only those that are missing are written. */
export function passControllersOn(group: string, { controllers }: Hierarchy): void {
  const enabled = passedOnBy(group);
  const missing = controllers.filter((name) => !enabled.includes(name));
  if (missing.length > 0) writeGroupFile(controlOf(group), signed('+', missing));
}

/**
 * Has every group pass the controllers on, from the root of a tree to a group.
 *
 * @param top - Group of all engines, relative to the root.
 * @param group - Relative to the root; below `top`.
 */
export function passOnTo(hierarchy: Hierarchy, top: string, group: string): void {
  const { mountPath, controllers } = hierarchy;
  const enabled = passedOnBy(mountPath);
  if (!controllers.every((name) => enabled.includes(name))) makeMark(join(mountPath, top, MARK));
  let path = mountPath;
  passControllersOn(path, hierarchy);
  for (const part of group.split('/')) {
    path = join(path, part);
    passControllersOn(path, hierarchy);
  }
}

/** Takes back at the root what an engine had it pass on, if no engine is left that may need it. */
export function takeBack({ mountPath, controllers }: Hierarchy, top: string): void {
  const path = join(mountPath, top);
  try {
    const entries = readdirSync(path, { withFileTypes: true });
    const inside = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
    if (inside.join() !== MARK) return;
    for (const group of [path, mountPath])
      writeGroupFile(controlOf(group), signed('-', controllers));
  } catch (error) {
    // The group is gone, or others pass it on by now.
    if (!isErrno(error, 'ENOENT', 'EBUSY')) throw error;
  }
  removeMark(join(path, MARK));
}

function makeMark(path: string): void {
  try {
    mkdirSync(path);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}

function removeMark(path: string): void {
  try {
    rmdirSync(path);
  } catch (error) {
    if (!isErrno(error, 'ENOENT')) throw error;
  }
}

function passedOnBy(group: string): string[] {
  return readGroupFile(controlOf(group)).trim().split(' ');
}

function controlOf(group: string): string {
  return join(group, 'cgroup.subtree_control');
}

function signed(sign: '+' | '-', names: readonly string[]): string {
  return names.map((name) => `${sign}${name}`).join(' ');
}
