import { CgroupServiceService as Service, type Cgroup, type Stats } from '@teu/proto/cgroup';
import { LinuxResources } from '@teu/proto/type';
import { readFileSync } from 'node:fs';
import { runInGroup, type GroupProcess } from '../run-in-group.js';
import { startService, type StartedService } from '../start-service.js';
import { limitFileOf, type Limit } from './limit-files.js';
import type { CgroupHost } from '../../domain/host.js';

export const MEBIBYTE = 1 << 20;

/** Limits as a test writes them: what it does not name is not limited. */
export type Wanted = Parameters<typeof LinuxResources.fromPartial>[0];

/** A started service, and what the kernel says of its groups. */
export class GroupProbe {
  readonly #service: StartedService;
  /** Version of the hierarchy of each controller that the service uses. */
  readonly #controllers: ReadonlyMap<string, { version: number; mountPath: string }>;

  private constructor(
    service: StartedService,
    controllers: ReadonlyMap<string, { version: number; mountPath: string }>,
  ) {
    this.#service = service;
    this.#controllers = controllers;
  }

  static async start(
    host: CgroupHost | undefined,
    flags: readonly string[] = [],
  ): Promise<GroupProbe> {
    const service = await startService(host, flags);
    const { controllers } = await service.channel.unary(Service.getHierarchy, {});
    return new GroupProbe(service, new Map(controllers.map((each) => [each.name, each])));
  }

  get service(): StartedService {
    return this.#service;
  }

  close(): Promise<void> {
    return this.#service.close();
  }

  create(wanted: Wanted = {}): Promise<Cgroup> {
    return this.#service.create(LinuxResources.fromPartial(wanted));
  }

  /** Asks for a group of this id, which is not deleted at the end. */
  async createAs(id: string, wanted: Wanted = {}): Promise<Cgroup> {
    const request = { id, resources: LinuxResources.fromPartial(wanted), group: '' };
    return (await this.#service.channel.unary(Service.createCgroup, request)).cgroup!;
  }

  async get(id: string): Promise<Cgroup> {
    return (await this.#service.channel.unary(Service.getCgroup, { id })).cgroup!;
  }

  async update(id: string, wanted: Wanted, replace = false): Promise<Cgroup> {
    const request = { id, resources: LinuxResources.fromPartial(wanted), replace };
    return (await this.#service.channel.unary(Service.updateCgroup, request)).cgroup!;
  }

  async stats(id: string): Promise<Stats> {
    return (await this.#service.channel.unary(Service.getStats, { id })).stats!;
  }

  async kill(id: string): Promise<number> {
    return (await this.#service.channel.unary(Service.killCgroup, { id })).killedCount;
  }

  async remove(id: string, force = false): Promise<Stats | undefined> {
    const request = { id, force, run: undefined };
    return (await this.#service.channel.unary(Service.deleteCgroup, request)).finalStats;
  }

  async freeze(id: string): Promise<void> {
    await this.#service.channel.unary(Service.freezeCgroup, { id });
  }

  async thaw(id: string): Promise<void> {
    await this.#service.channel.unary(Service.thawCgroup, { id });
  }

  run(cgroup: Cgroup, script: string): GroupProcess {
    return runInGroup(cgroup.membership!, script);
  }

  /** Directories of the engine's own groups. */
  engineGroups(): string[] {
    const paths = [...this.#controllers.values()].map(({ mountPath }) => mountPath);
    return [...new Set(paths)].map((path) => `${path}/${this.#service.groupPath}`);
  }

  has(controller: string): boolean {
    return this.#controllers.has(controller);
  }

  /** Version of the hierarchy that has a controller. */
  versionOf(controller: string): number {
    return this.#controllers.get(controller)!.version;
  }

  /** Directory of a group in the hierarchy of a controller. */
  directory(cgroup: Cgroup, controller: string): string {
    const { mountPath } = this.#controllers.get(controller)!;
    return `${mountPath}/${this.#service.groupPath}/${cgroup.id}`;
  }

  /** What the kernel has in force of a limit: the text of its file. */
  inForce(cgroup: Cgroup, limit: Limit): string {
    const { controller, file } = limitFileOf(limit, (name) => this.#controllers.get(name)?.version);
    return readFileSync(`${this.directory(cgroup, controller)}/${file}`, 'utf8').trim();
  }
}
