import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { teuError } from '@teu/errors';
import type { CgroupMembership } from '@teu/proto/cgroup';
import { isGroupKey, keyOfGroup } from '../domain/group-path.js';
import type { CgroupHost, ControllerName, Hierarchy } from '../domain/host.js';
import { hierarchyOf, isOnDemand } from '../domain/host.js';
import type { DeviceFilter } from './limits/device-filter.js';
import { setDefaultDevices } from './limits/devices.js';
import { findLimitFiles, type HostLimitFile } from './limits/host-limit-files.js';
import { OneAtATime } from './one-at-a-time.js';
import {
  enginePath,
  makeParentGroups,
  removeEmptyGroups,
  removeParentGroups,
} from './parent-groups.js';
import { walkTree, type Inhabitants } from './walk-tree.js';

/** Directory of a group in one hierarchy. */
export interface GroupDirectory {
  readonly path: string;
  readonly hierarchy: Hierarchy;
}

/**
 * The groups of one engine in all hierarchies of the host. The kernel's tree is the only state.
 *
 * Where an id is asked for, the directory of a group of containers may be given as well (domain/group-path.ts).
 */
export class CgroupTree {
  readonly host: CgroupHost;
  /** Path of the engine's groups relative to each hierarchy's root. */
  readonly groupPath: string;
  /** Limits that this host can set, in the order in which a new group is limited. */
  readonly limitFiles: readonly HostLimitFile[];
  /**
   * Whether a group that exists in the last hierarchy is complete. It has no limits of its own
   * there, so it can be made after all limits are set.
   */
  readonly lastMarksComplete: boolean;
  /** What limits devices on version 2; without it they are not limited there. */
  readonly deviceFilter: DeviceFilter | undefined;
  /** Changes of limits, of which some wait for processes to stop. */
  readonly updates = new OneAtATime();
  /** Hierarchy in which groups are made last. */
  readonly #last: Hierarchy;
  /** A tree of version 2 in which processes are counted and killed. */
  readonly #unified: Hierarchy | undefined;
  readonly #instance: string;
  /** Groups that containers are in, by id; those that are in none are left out. */
  readonly #places = new Map<string, string>();

  /** @throws CGROUP_UNAVAILABLE if the host has no hierarchy that can be used */
  constructor(host: CgroupHost, instance: string, deviceFilter?: DeviceFilter) {
    this.host = host;
    this.deviceFilter = deviceFilter;
    this.#instance = instance;
    this.groupPath = enginePath(instance);
    const last = host.hierarchies.at(-1);
    if (last === undefined) {
      const text = 'this host has no cgroup hierarchy with a controller that can be used';
      throw teuError('CGROUP_UNAVAILABLE', text);
    }
    this.#last = last;
    this.makeParents();
    this.#unified = this.#findUnified();
    for (const [id, group] of this.inhabitants().containers) this.place(id, group);
    this.limitFiles = findLimitFiles(host, this.groupPath);
    this.lastMarksComplete = this.limitFiles.every(({ hierarchy }) => hierarchy !== last);
  }

  /** Makes the engine's own groups, at start and if somebody has removed them. */
  makeParents(): void {
    makeParentGroups(this.host, this.#instance);
    setDefaultDevices(this);
  }

  /** Removes the engine's own groups, and groups of containers, where no container's group is in them. */
  removeParents(): void {
    const groups = [...this.inhabitants().groups].reverse();
    removeParentGroups(this.host, this.#instance, groups);
  }

  /** Removes the directories of a group of containers and of those in it, where no container's group is in them. */
  removeGroups(name: string): void {
    const keys = [...this.inhabitants(name).groups].reverse();
    const paths = [...keys, keyOfGroup(name)].map((key) => `${this.groupPath}/${key}`);
    removeEmptyGroups(this.host, paths);
  }

  /** Says which group a container is in, or is going to be; an empty name for none. */
  place(id: string, group: string): void {
    if (group === '') this.#places.delete(id);
    else this.#places.set(id, group);
  }

  /** Group that a container is in; empty for none, and for one that is not there. */
  placeOf(id: string): string {
    return this.#places.get(id) ?? '';
  }

  /** Forgets where a container was, if nothing of it is left. */
  forgetIfGone(id: string): void {
    if (!this.exists(id)) this.#places.delete(id);
  }

  /** Path of a group relative to each hierarchy's root. */
  pathOf(id: string): string {
    return `${this.groupPath}/${this.#relativePath(id)}`;
  }

  /** Directory of a group in a hierarchy. */
  groupIn(hierarchy: Hierarchy, id: string): string {
    return `${hierarchy.mountPath}/${this.pathOf(id)}`;
  }

  /** Directories of a group, complete or not, in the order of the hierarchies. */
  groups(id: string): string[] {
    return this.host.hierarchies.map((hierarchy) => this.groupIn(hierarchy, id));
  }

  /** Directory of a group in the hierarchy of a controller. */
  groupOf(controller: ControllerName, id: string): { path: string; version: 1 | 2 } | undefined {
    const hierarchy = hierarchyOf(this.host, controller);
    if (hierarchy === undefined) return undefined;
    return { path: this.groupIn(hierarchy, id), version: hierarchy.version };
  }

  /** Directory of a group in the last hierarchy. */
  lastGroup(id: string): string {
    return this.groupIn(this.#last, id);
  }

  /**
   * Where the processes of a group are counted and killed: in the tree of version 2 if there is one, where one write
   * reaches all of them. A group that has no directory there is one of an engine that did not use the tree yet.
   */
  control(id: string): GroupDirectory {
    const hierarchy = this.#unified ?? this.#last;
    const path = this.groupIn(hierarchy, id);
    if (hierarchy === this.#last || existsSync(path) || !existsSync(this.lastGroup(id))) {
      return { path, hierarchy };
    }
    return { path: this.lastGroup(id), hierarchy: this.#last };
  }

  /**
   * Where a group is frozen: by the freezer of version 1 if there is one, and there alone. It stops also what is frozen
   * in a tree of version 2; that tree would wait for ever for a process that the freezer of version 1 has stopped.
   */
  freezer(id: string): GroupDirectory {
    const hierarchy = hierarchyOf(this.host, 'freezer') ?? this.#unified ?? this.#last;
    return { path: this.groupIn(hierarchy, id), hierarchy };
  }

  /** Directory of a group where its processes are counted and killed. */
  processGroup(id: string): string {
    return this.control(id).path;
  }

  /** Ids of all groups, sorted; also of those that were left half made or half removed. */
  ids(): string[] {
    return [...this.inhabitants().containers.keys()].sort();
  }

  /** What is in a group of containers, or in all of the tree; also what was left half made or half removed. */
  inhabitants(group = ''): Inhabitants {
    const roots = this.host.hierarchies.map(({ mountPath }) => join(mountPath, this.groupPath));
    return walkTree(roots, group === '' ? '' : keyOfGroup(group));
  }

  /** What is whole in a group of containers, or in all of the tree: has a directory in the last hierarchy. */
  completeInhabitants(group = ''): Inhabitants {
    const root = join(this.#last.mountPath, this.groupPath);
    return walkTree([root], group === '' ? '' : keyOfGroup(group));
  }

  /** Whether there is any trace of a group. */
  exists(id: string): boolean {
    return this.groups(id).some((path) => existsSync(path));
  }

  /** @throws CGROUP_NOT_FOUND if there is no trace of the group */
  checkExists(id: string): void {
    if (this.exists(id)) return;
    throw teuError('CGROUP_NOT_FOUND', `cgroup "${id}" does not exist`, {
      metadata: { cgroup: id },
    });
  }

  /** Hierarchies that a group is in, or is to be in: those that are joined only by need, if it is there. */
  hierarchiesOf(id: string): readonly Hierarchy[] {
    return this.host.hierarchies.filter(
      (hierarchy) => !isOnDemand(hierarchy) || existsSync(this.groupIn(hierarchy, id)),
    );
  }

  /** Says how a process joins a group. */
  membership(id: string): CgroupMembership {
    const hierarchies = this.hierarchiesOf(id);
    const v1 = hierarchies.filter(({ version }) => version === 1);
    const v2 = hierarchies.find(({ version }) => version === 2);
    const mounts = v1.map(({ mountPath, mountData }) => ({
      name: mountPath.slice(mountPath.lastIndexOf('/') + 1),
      type: 'cgroup',
      data: mountData,
    }));
    if (v2 !== undefined && (v1.length === 0 || v2.controllers.some(isForPrograms))) {
      mounts.push({ name: v1.length === 0 ? '' : 'unified', type: 'cgroup2', data: '' });
    }
    return {
      v1TasksPaths: v1.map((hierarchy) => `${this.groupIn(hierarchy, id)}/tasks`),
      v2Directory: v2 === undefined ? '' : this.groupIn(v2, id),
      mounts,
    };
  }

  /** Kernels that cannot kill a group of version 2 (before 5.14) handle processes where they have their freezer. */
  #findUnified(): Hierarchy | undefined {
    const unified = this.host.hierarchies.find(({ version }) => version === 2);
    if (unified === undefined || unified === this.#last) return unified;
    return existsSync(join(unified.mountPath, this.groupPath, 'cgroup.kill')) ? unified : undefined;
  }

  #relativePath(id: string): string {
    const group = this.#places.get(id);
    return isGroupKey(id) || group === undefined ? id : `${keyOfGroup(group)}/${id}`;
  }
}

/** Beside hierarchies of version 1 a container sees a tree of version 2 only for these: a mount takes time. */
function isForPrograms(name: ControllerName): boolean {
  return name !== 'hugetlb';
}
