import { teuError } from '@teu/errors';
import {
  Cgroup,
  CgroupServiceService,
  Stats,
  UsageServiceService,
  type CreateCgroupRequest,
  type CreateCgroupResponse,
  type DeleteCgroupRequest,
  type Run,
  type UpdateCgroupRequest,
  type UpdateCgroupResponse,
} from '@teu/proto/cgroup';
import { LinuxResources, type OomKill } from '@teu/proto/type';
import { implement, type Implementation } from '@teu/rpc';
import { unimplemented } from './unimplemented.js';

/** A cgroup service in memory. */
export class FakeCgroup {
  /** Limits of the cgroups that exist, encoded. */
  readonly groups = new Map<string, string>();
  /** Cgroups in which the kernel has killed something. */
  readonly oomKilled = new Set<string>();
  /** Groups of containers that there are. */
  readonly known = new Set(['team']);
  /** Groups that cgroups are in, by id. */
  readonly places = new Map<string, string>();
  /** What the kernel has said of it, newest first. */
  readonly oomKills = new Map<string, OomKill[]>();
  /** Cgroups that stand still. */
  readonly frozen = new Set<string>();
  /** Freezes and thaws, in their order. */
  readonly stills: string[] = [];
  /** Runs that were told of as having begun, each time. */
  readonly begun: Run[] = [];
  /** Runs that ended with their cgroups, each time. */
  readonly ended: Run[] = [];
  /** Called at each update; what it throws is the answer. */
  onUpdate: () => void = () => undefined;
  /** Called for RecordRun; may throw. */
  onRecord: (run: Run) => void = () => undefined;
  /** Called for DeleteCgroup before anything is done; may take its time. */
  onDelete: (id: string) => Promise<void> | void = () => undefined;
  /** Called for KillCgroup. */
  onKill: (id: string) => void = () => undefined;

  get service(): Implementation {
    return implement(CgroupServiceService, {
      ...unimplemented(CgroupServiceService),
      createCgroup: async (request: CreateCgroupRequest) => this.#create(request),
      deleteCgroup: async ({ id, run }: DeleteCgroupRequest) => {
        await this.onDelete(id);
        if (run !== undefined) this.ended.push(run);
        if (!this.groups.delete(id)) return { finalStats: undefined, oomKills: [] };
        return { finalStats: this.#stats(id), oomKills: this.oomKills.get(id) ?? [] };
      },
      getCgroup: async ({ id }: { id: string }) => {
        this.#require(id);
        const group = this.places.get(id) ?? '';
        const frozen = this.frozen.has(id) || this.frozen.has(group);
        return { cgroup: Cgroup.create({ id, group, frozen }) };
      },
      killCgroup: async ({ id }: { id: string }) => {
        this.#require(id);
        this.onKill(id);
        return { killedCount: 1 };
      },
      updateCgroup: async (request: UpdateCgroupRequest) => this.#update(request),
      freezeCgroup: async ({ id }: { id: string }) => {
        this.#require(id);
        this.frozen.add(id);
        this.stills.push('freeze');
        return {};
      },
      thawCgroup: async ({ id }: { id: string }) => {
        this.#require(id);
        this.frozen.delete(id);
        this.stills.push('thaw');
        return {};
      },
      getStats: async ({ id }: { id: string }) => {
        this.#require(id);
        return { stats: this.#stats(id), oomKills: this.oomKills.get(id) ?? [] };
      },
    });
  }

  get usageService(): Implementation {
    return implement(UsageServiceService, {
      ...unimplemented(UsageServiceService),
      recordRun: async ({ run }: { run: Run | undefined }) => {
        if (run === undefined) throw teuError('INVALID_ARGUMENT', 'no run');
        this.onRecord(run);
        this.begun.push(run);
        return {};
      },
    });
  }

  #create({ id, resources, group }: CreateCgroupRequest): CreateCgroupResponse {
    if (group !== '' && !this.known.has(group)) throw teuError('GROUP_NOT_FOUND', `no ${group}`);
    if (resources !== undefined) this.#refuse(resources);
    const limits = JSON.stringify(resources && LinuxResources.toJSON(resources));
    const existing = this.groups.get(id);
    if (existing !== undefined && existing !== limits) {
      throw teuError('CGROUP_EXISTS', `cgroup ${id} has other limits`);
    }
    this.groups.set(id, limits);
    this.places.set(id, group);
    const membership = { v1TasksPaths: [`/cg/${id}/tasks`], v2Directory: '', mounts: [] };
    return { cgroup: Cgroup.create({ id, membership }) };
  }

  #update({ id, resources, replace }: UpdateCgroupRequest): UpdateCgroupResponse {
    this.#require(id);
    const wanted = resources ?? LinuxResources.create();
    this.onUpdate();
    this.#refuse(wanted);
    if (!replace) throw teuError('INTERNAL', 'the engine always says all limits');
    this.groups.set(id, JSON.stringify(LinuxResources.toJSON(wanted)));
    return { cgroup: Cgroup.create({ id, resources: wanted }) };
  }

  /** Like a host that can't set memory.high. */
  #refuse({ memory }: LinuxResources): void {
    if (memory?.high === undefined) return;
    throw teuError('RESOURCE_UNSUPPORTED', 'this host cannot enforce resources.memory.high');
  }

  #stats(id: string): Stats {
    return Stats.create({ memory: { oomKillCount: this.oomKilled.has(id) ? 1 : 0 } });
  }

  #require(id: string): void {
    if (!this.groups.has(id)) throw teuError('CGROUP_NOT_FOUND', `no cgroup ${id}`);
  }
}
