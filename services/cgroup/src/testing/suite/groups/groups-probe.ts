import { newContainerId } from '@teu/ids';
import {
  CgroupServiceService,
  GroupServiceService as Service,
  type Cgroup,
  type Group,
  type Stats,
} from '@teu/proto/cgroup';
import { LinuxResources } from '@teu/proto/type';
import { dirname } from 'node:path';
import type { CgroupHost } from '../../../domain/host.js';
import { runInGroup, type GroupProcess } from '../../run-in-group.js';
import { startService, type StartedService } from '../../start-service.js';
import type { Wanted } from '../group-probe.js';

/** A started service, its groups of containers, and what the kernel says of them. */
export class GroupsProbe {
  readonly service: Pick<StartedService, 'channel' | 'groupPath' | 'close'>;
  readonly #made: string[] = [];

  constructor(service: Pick<StartedService, 'channel' | 'groupPath' | 'close'>) {
    this.service = service;
  }

  static async start(host: CgroupHost | undefined): Promise<GroupsProbe> {
    return new GroupsProbe(await startService(host));
  }

  async close(): Promise<void> {
    for (const id of this.#made) await this.remove(id, true);
    await this.service.close();
  }

  /** Version of the hierarchy that has a controller; undefined if the service has it not. */
  async versionOf(controller: string): Promise<number | undefined> {
    const { getHierarchy } = CgroupServiceService;
    const { controllers } = await this.service.channel.unary(getHierarchy, {});
    return controllers.find(({ name }) => name === controller)?.version;
  }

  async create(name: string, wanted: Wanted = {}, labels = {}): Promise<Group> {
    const request = { name, resources: LinuxResources.fromPartial(wanted), labels };
    return (await this.service.channel.unary(Service.createGroup, request)).group!;
  }

  async get(name: string): Promise<Group> {
    return (await this.service.channel.unary(Service.getGroup, { name })).group!;
  }

  async update(name: string, wanted: Wanted): Promise<Group> {
    const request = { name, resources: LinuxResources.fromPartial(wanted) };
    return (await this.service.channel.unary(Service.updateGroup, request)).group!;
  }

  async delete(name: string, recursive = false): Promise<void> {
    await this.service.channel.unary(Service.deleteGroup, { name, recursive });
  }

  async freeze(name: string): Promise<void> {
    await this.service.channel.unary(Service.freezeGroup, { name });
  }

  async thaw(name: string): Promise<void> {
    await this.service.channel.unary(Service.thawGroup, { name });
  }

  async kill(name: string): Promise<number> {
    return (await this.service.channel.unary(Service.killGroup, { name })).killedCount;
  }

  async stats(name: string): Promise<Stats> {
    return (await this.service.channel.unary(Service.getGroupStats, { name })).stats!;
  }

  async containerStats(id: string): Promise<Stats> {
    return (await this.service.channel.unary(CgroupServiceService.getStats, { id })).stats!;
  }

  /** Names of the groups below one, page by page. */
  async names(parent = '', pageSize = 2): Promise<string[]> {
    const names: string[] = [];
    let pageToken = '';
    do {
      const request = { parent, pageSize, pageToken };
      const page = await this.service.channel.unary(Service.listGroups, request);
      names.push(...page.groups.map(({ name }) => name));
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    return names;
  }

  /** Makes the cgroup of a container in a group. It is removed with the service. */
  async container(
    group: string,
    wanted: Wanted = {},
    id: string = newContainerId(),
  ): Promise<Cgroup> {
    const request = { id, resources: LinuxResources.fromPartial(wanted), group };
    const { channel } = this.service;
    const { cgroup } = await channel.unary(CgroupServiceService.createCgroup, request);
    this.#made.push(id);
    return cgroup!;
  }

  async cgroup(id: string): Promise<Cgroup> {
    const { channel } = this.service;
    return (await channel.unary(CgroupServiceService.getCgroup, { id })).cgroup!;
  }

  /** Gives a container these limits in the place of all that it has. */
  async replace(id: string, wanted: Wanted): Promise<void> {
    const request = { id, resources: LinuxResources.fromPartial(wanted), replace: true };
    await this.service.channel.unary(CgroupServiceService.updateCgroup, request);
  }

  async freezeContainer(id: string): Promise<void> {
    await this.service.channel.unary(CgroupServiceService.freezeCgroup, { id });
  }

  async killContainer(id: string): Promise<void> {
    await this.service.channel.unary(CgroupServiceService.killCgroup, { id });
  }

  async remove(id: string, force = false): Promise<void> {
    const request = { id, force, run: undefined };
    await this.service.channel.unary(CgroupServiceService.deleteCgroup, request);
  }

  run(cgroup: Cgroup, script: string): GroupProcess {
    return runInGroup(cgroup.membership!, script);
  }
}

/** Directories of a container in all hierarchies. */
export function directoriesOf({ membership }: Cgroup): string[] {
  const { v1TasksPaths, v2Directory } = membership!;
  return [...v1TasksPaths.map((path) => dirname(path)), ...(v2Directory ? [v2Directory] : [])];
}
