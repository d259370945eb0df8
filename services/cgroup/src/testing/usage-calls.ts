import {
  CgroupServiceService,
  Run,
  UsageFilter,
  UsageServiceService,
  type Cgroup,
  type DeleteCgroupResponse,
  type UsageGrouping,
  type UsageRecord,
  type UsageSummary,
} from '@teu/proto/cgroup';
import { newContainerId } from '@teu/ids';
import type { RpcChannel } from '@teu/rpc';

type Wanted = Parameters<typeof Run.fromPartial>[0];
type Filter = Parameters<typeof UsageFilter.fromPartial>[0];

/** What an engine says to the service of its runs, and what clients ask of the ledger. */
export class UsageCalls {
  readonly channel: RpcChannel;

  constructor(channel: RpcChannel) {
    this.channel = channel;
  }

  async createCgroup(group = '', id: string = newContainerId()): Promise<Cgroup> {
    const request = { id, resources: undefined, group };
    return present((await this.channel.unary(CgroupServiceService.createCgroup, request)).cgroup);
  }

  async getCgroup(id: string): Promise<Cgroup> {
    return present((await this.channel.unary(CgroupServiceService.getCgroup, { id })).cgroup);
  }

  async begin(run: Run): Promise<void> {
    await this.channel.unary(UsageServiceService.recordRun, { run });
  }

  /** Ends a run as the engine does, with the deletion of its cgroup. */
  end(run: Run, end: NonNullable<Wanted['end']> = {}): Promise<DeleteCgroupResponse> {
    const ended = Run.fromPartial({ ...run, end: { exitTime: new Date(), ...end } });
    return this.delete(run.containerId, ended);
  }

  delete(id: string, run?: Run): Promise<DeleteCgroupResponse> {
    return this.channel.unary(CgroupServiceService.deleteCgroup, { id, force: true, run });
  }

  /** All records, page by page. */
  async list(filter: Filter = {}, pageSize = 0): Promise<UsageRecord[]> {
    const found: UsageRecord[] = [];
    let pageToken = '';
    do {
      const request = { filter: UsageFilter.fromPartial(filter), pageSize, pageToken };
      const page = await this.channel.unary(UsageServiceService.listUsage, request);
      found.push(...page.records);
      pageToken = page.nextPageToken;
    } while (pageToken !== '');
    return found;
  }

  /** The only record of a container. */
  async recordOf(id: string, withRunning = false): Promise<UsageRecord> {
    const records = await this.list({ container: id, withRunning });
    if (records.length > 1) throw new Error(`${records.length} records of ${id}`);
    return present(records[0]);
  }

  async sums(filter: Filter, grouping: UsageGrouping, label = ''): Promise<UsageSummary[]> {
    const request = {
      ...{ filter: UsageFilter.fromPartial(filter), grouping, label },
      ...{ pageSize: 1000, pageToken: '' },
    };
    return (await this.channel.unary(UsageServiceService.summarizeUsage, request)).summaries;
  }
}

function present<T>(value: T | undefined): T {
  if (value === undefined) throw new Error('it is not in the answer');
  return value;
}

/** A run of a container that begins now. */
export function newRun(containerId: string, parts: Wanted = {}): Run {
  return Run.fromPartial({
    containerId,
    startTime: new Date(),
    name: `name-${containerId.slice(0, 8)}`,
    image: 'busybox',
    imageId: 'sha256:1',
    createTime: new Date(),
    ...parts,
  });
}
