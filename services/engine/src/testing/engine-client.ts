import {
  BaseServiceService as Bases,
  ContainerSpec,
  CreateContainerRequest,
  EditBaseHeader,
  DriverRegistryServiceService as Registry,
  EngineServiceService as Engine,
  ExecContainerRequest,
  ListContainersRequest,
  RemoveContainerRequest,
  RunContainerRequest,
  StopContainerRequest,
  WatchEventsRequest,
  type Container,
  type ContainerExit,
  type BaseEdit,
  type BaseUpgrade,
  type EditBaseRequest,
  type EditBaseResponse,
  type ExecContainerResponse,
  type PlanBaseUpgradeResponse,
  type RegisteredDriver,
  type UpgradeStep,
  type UpgradedContainer,
  type WatchEventsResponse,
} from '@teu/proto/engine';
import { containerActionToJSON } from '@teu/proto/event';
import { DriverAddress } from '@teu/proto/storage';
import { LinuxResources } from '@teu/proto/type';
import type { RpcChannel } from '@teu/rpc';

/** What of a spec a test says; the rest is a container of the image "busybox". */
export type SpecPart = Parameters<typeof ContainerSpec.create>[0];

/** Calls to an engine, as short as tests want them. */
export class EngineClient {
  readonly channel: RpcChannel;

  constructor(channel: RpcChannel) {
    this.channel = channel;
  }

  async create(args: string[], spec: SpecPart = {}, requestId = ''): Promise<Container> {
    const request = CreateContainerRequest.create({ spec: specOf(args, spec), requestId });
    const answer = await this.channel.unary(Engine.createContainer, request);
    return present(answer.container);
  }

  async run(
    args: string[],
    spec: SpecPart = {},
    more: { wait?: boolean; requestId?: string } = {},
  ): Promise<Container> {
    const request = RunContainerRequest.create({ spec: specOf(args, spec), ...more });
    const answer = await this.channel.unary(Engine.runContainer, request);
    return present(answer.container);
  }

  async start(container: string): Promise<Container> {
    const answer = await this.channel.unary(Engine.startContainer, { container });
    return present(answer.container);
  }

  async stop(container: string, timeoutMs?: number): Promise<Container> {
    const timeoutDuration =
      timeoutMs === undefined ? undefined : { seconds: 0, nanos: timeoutMs * 1e6 };
    const request = StopContainerRequest.create({ container, timeoutDuration });
    return present((await this.channel.unary(Engine.stopContainer, request)).container);
  }

  async kill(container: string, signal = ''): Promise<void> {
    await this.channel.unary(Engine.killContainer, { container, signal });
  }

  async pause(container: string): Promise<Container> {
    return present((await this.channel.unary(Engine.pauseContainer, { container })).container);
  }

  async update(
    container: string,
    wanted: Parameters<typeof LinuxResources.fromPartial>[0],
  ): Promise<Container> {
    const request = { container, resources: LinuxResources.fromPartial(wanted) };
    return present((await this.channel.unary(Engine.updateContainer, request)).container);
  }

  async unpause(container: string): Promise<Container> {
    return present((await this.channel.unary(Engine.unpauseContainer, { container })).container);
  }

  async remove(container: string, force = false): Promise<string> {
    const request = RemoveContainerRequest.create({ container, force });
    return (await this.channel.unary(Engine.removeContainer, request)).id;
  }

  async wait(container: string): Promise<ContainerExit> {
    const answer = await this.channel.unary(Engine.waitContainer, { container });
    return present(answer.exit);
  }

  async get(container: string): Promise<Container> {
    const answer = await this.channel.unary(Engine.getContainer, { container });
    return present(answer.container);
  }

  async list(request: Partial<ListContainersRequest> = {}) {
    return this.channel.unary(Engine.listContainers, ListContainersRequest.create(request));
  }

  async exec(container: string, args: string[], wait = true): Promise<ExecContainerResponse> {
    const request = ExecContainerRequest.create({ container, spec: { args }, wait });
    return this.channel.unary(Engine.execContainer, request);
  }

  async addDriver(
    name: string,
    address: string,
    more: Partial<DriverAddress> = {},
  ): Promise<RegisteredDriver> {
    const request = { address: DriverAddress.create({ name, address, ...more }) };
    return present((await this.channel.unary(Registry.addDriver, request)).driver);
  }

  /** Gives the number of layers that were removed. */
  async removeDriver(name: string, force = false): Promise<number> {
    return (await this.channel.unary(Registry.removeDriver, { name, force })).removedLayerCount;
  }

  async setDefaultDriver(name: string): Promise<void> {
    await this.channel.unary(Registry.setDefaultDriver, { name });
  }

  async drivers(): Promise<RegisteredDriver[]> {
    return (await this.channel.unary(Registry.listDrivers, {})).drivers;
  }

  async driverNames(): Promise<string[]> {
    return (await this.drivers()).map(({ address }) => address?.name ?? '');
  }

  async planUpgrade(oldBase: string, newBase: string): Promise<PlanBaseUpgradeResponse[]> {
    const request = { oldBase, newBase, skipFiles: false };
    return Array.fromAsync(this.channel.serverStream(Bases.planBaseUpgrade, request));
  }

  async upgradeBase(oldBase: string, newBase: string): Promise<UpgradeOutcome> {
    return outcomeOf(this.channel.serverStream(Bases.upgradeBase, { oldBase, newBase }));
  }

  async undoUpgrade(upgradeId: string): Promise<UpgradeOutcome> {
    return outcomeOf(this.channel.serverStream(Bases.undoBaseUpgrade, { upgradeId }));
  }

  async upgrades(): Promise<BaseUpgrade[]> {
    const request = { pageSize: 0, pageToken: '' };
    return (await this.channel.unary(Bases.listBaseUpgrades, request)).upgrades;
  }

  async upgrade(upgradeId: string): Promise<UpgradedContainer[]> {
    const request = { upgradeId, pageSize: 0, pageToken: '' };
    return (await this.channel.unary(Bases.getBaseUpgrade, request)).containers;
  }

  /** Edits a base; without a consent the client ends its messages after the first one. */
  async editBase(
    header: Partial<EditBaseHeader>,
    consent?: boolean,
  ): Promise<NonNullable<EditBaseResponse['part']>[]> {
    const requests = async function* (): AsyncGenerator<EditBaseRequest> {
      yield { part: { $case: 'header', value: EditBaseHeader.create(header) } };
      if (consent !== undefined) yield { part: { $case: 'consent', value: consent } };
    };
    const answers = await Array.fromAsync(this.channel.bidi(Bases.editBase, requests()));
    return answers.flatMap(({ part }) => part ?? []);
  }

  async edits(imageId = ''): Promise<BaseEdit[]> {
    const request = { pageSize: 0, pageToken: '', imageId };
    return (await this.channel.unary(Bases.listBaseEdits, request)).edits;
  }

  /** The events there are, from the first on. */
  async events(request: Partial<WatchEventsRequest> = {}): Promise<WatchEventsResponse[]> {
    const asked = WatchEventsRequest.create({ fromSequence: 1, untilNow: true, ...request });
    return Array.fromAsync(this.channel.serverStream(Engine.watchEvents, asked));
  }

  /** What happened to a container, in order, for example "CREATED". */
  async actions(containerId: string): Promise<string[]> {
    return (await this.events()).flatMap(({ event }) => {
      const payload = event?.payload;
      if (payload?.$case !== 'container' || payload.value.containerId !== containerId) return [];
      return containerActionToJSON(payload.value.action).replace('CONTAINER_ACTION_', '');
    });
  }
}

/** What an upgrade or its undo told, in the end. */
export interface UpgradeOutcome {
  containers: UpgradedContainer[];
  summary: BaseUpgrade;
}

async function outcomeOf(
  answers: AsyncIterable<{ step?: UpgradeStep | undefined }>,
): Promise<UpgradeOutcome> {
  const containers: UpgradedContainer[] = [];
  let summary: BaseUpgrade | undefined;
  for await (const { step } of answers) {
    if (step?.part?.$case === 'container') containers.push(step.part.value);
    if (step?.part?.$case === 'summary') summary = step.part.value;
  }
  return { containers, summary: present(summary) };
}

/** A spec of the image "busybox" that runs these arguments. */
export function specOf(args: string[], spec: SpecPart = {}): ContainerSpec {
  return ContainerSpec.create({ image: 'busybox', entrypoint: { values: args }, ...spec });
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('the answer lacks its message');
  return value;
}
