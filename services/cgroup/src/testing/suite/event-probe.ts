import { CgroupServiceService as Service, GroupServiceService } from '@teu/proto/cgroup';
import { CgroupAction, type CgroupEvent } from '@teu/proto/event';
import { LinuxResources, type OomKill } from '@teu/proto/type';
import { waitFor } from '@teu/testing';
import { readdirSync, readFileSync } from 'node:fs';
import { GroupProbe, type Wanted } from './group-probe.js';

/** What the service announces of the groups of a probe. */
export class EventProbe {
  readonly groups: GroupProbe;

  private constructor(groups: GroupProbe) {
    this.groups = groups;
  }

  static async start(flags: readonly string[]): Promise<EventProbe> {
    return new EventProbe(await GroupProbe.start(undefined, flags));
  }

  async close(): Promise<void> {
    await this.groups.close();
  }

  /** Events about a container, oldest first. */
  of(containerId: string): CgroupEvent[] {
    return this.groups.service.events.filter((event) => event.containerId === containerId);
  }

  kills(containerId: string): CgroupEvent[] {
    const { CGROUP_ACTION_OOM_KILLED } = CgroupAction;
    return this.of(containerId).filter(({ action }) => action === CGROUP_ACTION_OOM_KILLED);
  }

  /** Waits for an event about a container. */
  async next(
    containerId: string,
    isWanted: (event: CgroupEvent) => boolean,
    timeoutMs = 10_000,
  ): Promise<CgroupEvent> {
    const find = (): CgroupEvent | undefined => this.of(containerId).find(isWanted);
    await waitFor(() => find() !== undefined, { timeoutMs });
    return find()!;
  }

  /** What the kernel killed in a container, by GetStats. */
  async oomKills(id: string): Promise<OomKill[]> {
    return (await this.groups.service.channel.unary(Service.getStats, { id })).oomKills;
  }

  async createGroup(name: string, wanted: Wanted): Promise<void> {
    const resources = LinuxResources.fromPartial(wanted);
    const request = { name, resources, labels: {} };
    await this.groups.service.channel.unary(GroupServiceService.createGroup, request);
  }

  async deleteGroup(name: string): Promise<void> {
    const request = { name, recursive: true };
    await this.groups.service.channel.unary(GroupServiceService.deleteGroup, request);
  }

  /** Number of descriptors and of file watches that the watcher has. */
  held(): number {
    return readdirSync(this.#descriptors).length + this.watches();
  }

  /** Number of file watches that the watcher has. */
  watches(): number {
    const fds = readdirSync(this.#descriptors);
    return fds.reduce((sum, fd) => sum + watchesIn(`${this.#descriptors}/${fd}`), 0);
  }

  get #descriptors(): string {
    return `/proc/${this.groups.service.watcherPid ?? 0}/fdinfo`;
  }
}

function watchesIn(path: string): number {
  try {
    return readFileSync(path, 'utf8').match(/^inotify wd:/gm)?.length ?? 0;
  } catch {
    // Closed meanwhile.
    return 0;
  }
}
