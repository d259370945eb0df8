import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { teuError } from '@teu/errors';
import type { CgroupMembership } from '@teu/proto/cgroup';
import type { CgroupHost, ControllerName, Hierarchy } from '../domain/host.js';
import { hierarchyOf, isOnDemand } from '../domain/host.js';
import { findLimitFiles, type HostLimitFile } from './limits/host-limit-files.js';
import { enginePath, makeParentGroups, removeParentGroups } from './parent-groups.js';

/** The groups of one engine in all hierarchies of the host. The kernel's tree is the only state. */
export class CgroupTree {
  readonly host: CgroupHost;
  /** Path of the engine's groups relative to each hierarchy's root. */
  readonly groupPath: string;
  /** Limits that this host can set, in the order in which a new group is limited. */
  readonly limitFiles: readonly HostLimitFile[];
  /** Hierarchy in which processes are counted, frozen and killed. */
  readonly processHierarchy: Hierarchy;
  /**
   * Whether a group that exists in the process hierarchy is complete. It has no limits of its own
   * there, so it can be made after all limits are set.
   */
  readonly lastMarksComplete: boolean;
  readonly #instance: string;

  /** @throws CGROUP_UNAVAILABLE if the host has no hierarchy that can be used */
  constructor(host: CgroupHost, instance: string) {
    this.host = host;
    this.#instance = instance;
    this.groupPath = enginePath(instance);
    const last = host.hierarchies.at(-1);
    if (last === undefined) {
      const text = 'this host has no cgroup hierarchy with a controller that can be used';
      throw teuError('CGROUP_UNAVAILABLE', text);
    }
    this.processHierarchy = last;
    this.makeParents();
    this.limitFiles = findLimitFiles(host, this.groupPath);
    this.lastMarksComplete = this.limitFiles.every(({ hierarchy }) => hierarchy !== last);
  }

  /** Makes the engine's own groups, at start and if somebody has removed them. */
  makeParents(): void {
    makeParentGroups(this.host, this.#instance);
  }

  /** Removes the engine's own groups where they are empty. */
  removeParents(): void {
    removeParentGroups(this.host, this.#instance);
  }

  /** Directory of a group in a hierarchy. */
  groupIn(hierarchy: Hierarchy, id: string): string {
    return `${hierarchy.mountPath}/${this.groupPath}/${id}`;
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

  /** Directory of a group where its processes are handled; the group is complete if it exists. */
  processGroup(id: string): string {
    return this.groupIn(this.processHierarchy, id);
  }

  /** Ids of all groups, sorted; also of those that were left half made or half removed. */
  ids(): string[] {
    const ids = new Set<string>();
    for (const { mountPath } of this.host.hierarchies) {
      const entries = readdirSync(join(mountPath, this.groupPath), { withFileTypes: true });
      for (const entry of entries) if (entry.isDirectory()) ids.add(entry.name);
    }
    return [...ids].sort();
  }

  /** @throws CGROUP_NOT_FOUND if there is no trace of the group */
  checkExists(id: string): void {
    if (this.groups(id).some((path) => existsSync(path))) return;
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
    if (v2 !== undefined) {
      mounts.push({ name: v1.length === 0 ? '' : 'unified', type: 'cgroup2', data: '' });
    }
    return {
      v1TasksPaths: v1.map((hierarchy) => `${this.groupIn(hierarchy, id)}/tasks`),
      v2Directory: v2 === undefined ? '' : this.groupIn(v2, id),
      mounts,
    };
  }
}
