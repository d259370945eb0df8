import { mkdirSync, rmdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { teuError } from '@teu/errors';
import type { CgroupHost, Hierarchy } from '../domain/host.js';
import { isErrno, readGroupFile, readIfThere, writeGroupFile } from './group-files.js';
import { isPassedOnByNeed, passControllersOn, passOnTo, takeBack } from './pass-controllers.js';

/** All groups of all engines of this host are below a group of this name; nothing else is touched. */
export const TOP_GROUP = 'teu';

/** Path of an engine's groups relative to the root of each hierarchy. */
export function enginePath(instance: string): string {
  return `${TOP_GROUP}/${instance}`;
}

/**
 * Makes the groups that containers' groups are made in, in every hierarchy, and sets what children
 * inherit. Safe to repeat.
 *
 * @throws CGROUP_UNAVAILABLE if a hierarchy cannot be written to or refuses its controllers
 */
export function makeParentGroups(host: CgroupHost, instance: string): void {
  for (const hierarchy of host.hierarchies) {
    try {
      makeParentsIn(hierarchy, instance);
    } catch (cause) {
      const { controllers, mountPath } = hierarchy;
      const name = controllers.join(',');
      throw teuError(
        'CGROUP_UNAVAILABLE',
        `cgroup hierarchy ${name} at ${mountPath} cannot be used`,
        {
          metadata: { controllers: name },
          cause,
        },
      );
    }
  }
}

/**
 * Makes a group that others will be in, in one hierarchy, and has it pass on what they need. Safe to repeat.
 * Throws Node's error.
 */
export function makeInnerGroup(hierarchy: Hierarchy, path: string): void {
  makeGroup(path);
  // Kernels before 5.11 count a child's memory against its parents only when told so.
  if (hierarchy.controllers.includes('memory') && hierarchy.version === 1) countChildren(path);
  if (hierarchy.controllers.includes('cpuset') && hierarchy.version === 1) copyCpuset(path);
  passOn(hierarchy, path);
}

/** Has the groups that a group is in pass on to it what is passed on only by need. */
export function passOnWhatIsNeeded(hierarchy: Hierarchy, group: string): void {
  if (isPassedOnByNeed(hierarchy)) passOnTo(hierarchy, TOP_GROUP, dirname(group));
}

/**
 * Removes the engine's own groups where no container's group is in them, so that an engine that has
 * stopped leaves nothing behind. Never fails: what is in use stays.
 *
 * @param inner - Groups in the engine's, to be removed before it: the innermost first.
 */
export function removeParentGroups(
  host: CgroupHost,
  instance: string,
  inner: readonly string[] = [],
): void {
  const engine = enginePath(instance);
  removeEmptyGroups(host, [...inner.map((path) => `${engine}/${path}`), engine]);
  for (const hierarchy of host.hierarchies.filter(isPassedOnByNeed)) takeBack(hierarchy, TOP_GROUP);
  removeEmptyGroups(host, [TOP_GROUP]);
}

/** Removes groups one after the other in every hierarchy, each if nothing is in it. Paths are relative to its root. */
export function removeEmptyGroups(host: CgroupHost, groups: readonly string[]): void {
  for (const { mountPath } of host.hierarchies) {
    for (const group of groups) {
      try {
        rmdirSync(join(mountPath, group));
      } catch (error) {
        if (!isErrno(error, 'EBUSY', 'ENOTEMPTY', 'ENOENT')) throw error;
      }
    }
  }
}

/** Another engine that stops may remove the top group in between. */
const ATTEMPTS = 5;

function makeParentsIn(hierarchy: Hierarchy, instance: string): void {
  for (let attempt = 1; ; attempt += 1) {
    try {
      makeParents(hierarchy, instance);
      return;
    } catch (error) {
      if (!isErrno(error, 'ENOENT') || attempt === ATTEMPTS) throw error;
    }
  }
}

function makeParents(hierarchy: Hierarchy, instance: string): void {
  const { mountPath } = hierarchy;
  const top = join(mountPath, TOP_GROUP);
  const engine = join(mountPath, enginePath(instance));
  passOn(hierarchy, mountPath);
  for (const path of [top, engine]) makeInnerGroup(hierarchy, path);
}

function makeGroup(path: string): void {
  try {
    mkdirSync(path, 0o755);
  } catch (error) {
    if (!isErrno(error, 'EEXIST')) throw error;
  }
}

function countChildren(path: string): void {
  const file = join(path, 'memory.use_hierarchy');
  if (readIfThere(file)?.trim() === '0') writeGroupFile(file, '1');
}

/**
 * Gives a group of version 1 the processors and memory nodes of the one above, without which nobody can join it, and has
 * the kernel do so for those below it (cpusets.rst, cgroup.clone_children).
 */
function copyCpuset(path: string): void {
  for (const file of ['cpuset.cpus', 'cpuset.mems']) {
    if (readGroupFile(join(path, file)).trim() !== '') continue;
    writeGroupFile(join(path, file), readGroupFile(join(dirname(path), file)).trim());
  }
  const clone = join(path, 'cgroup.clone_children');
  if (readGroupFile(clone).trim() === '0') writeGroupFile(clone, '1');
}

function passOn(hierarchy: Hierarchy, path: string): void {
  if (hierarchy.version === 2 && !isPassedOnByNeed(hierarchy)) passControllersOn(path, hierarchy);
}
