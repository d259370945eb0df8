import { parseGroupName, parseLabels, parsePageSize } from '@teu/ids';
import type {
  CreateGroupRequest,
  CreateGroupResponse,
  GetGroupStatsResponse,
  Group,
  GroupServiceService,
  KillGroupResponse,
  ListGroupsRequest,
  ListGroupsResponse,
  UpdateGroupRequest,
  UpdateGroupResponse,
} from '@teu/proto/cgroup';
import { LinuxResources } from '@teu/proto/type';
import type { Handlers } from '@teu/rpc';
import type { CgroupParts } from '../cgroup-parts.js';
import { keyOfGroup, parentOf } from '../domain/group-path.js';
import { describeRecord } from '../groups/describe-record.js';
import { freezeGroup, thawGroup } from '../tree/freeze-group.js';
import { readStats } from '../tree/group-stats.js';
import { killGroup } from '../tree/kill-group.js';

/** The methods for groups of containers. */
export function createGroupHandlers(parts: CgroupParts): Handlers<typeof GroupServiceService> {
  const { tree, groups } = parts;
  /** Directory of the group that a request names. */
  const keyOf = ({ name }: { name: string }): string =>
    keyOfGroup(groups.ensure(parseGroupName(name, 'name')).name);
  return {
    createGroup: (request) => createGroup(parts, request),
    getGroup: async ({ name }) => ({ group: describe(parts, parseGroupName(name, 'name')) }),
    listGroups: async (request) => listGroups(parts, request),
    updateGroup: (request, { signal }) => updateGroup(parts, request, signal),
    deleteGroup: async ({ name, recursive }) => {
      await groups.delete(parseGroupName(name, 'name'), recursive);
      parts.watch.removed(keyOfGroup(name));
      return {};
    },
    freezeGroup: async (request) => {
      await freezeGroup(tree, keyOf(request));
      return {};
    },
    thawGroup: async (request) => {
      thawGroup(tree, keyOf(request));
      return {};
    },
    killGroup: async (request): Promise<KillGroupResponse> => ({
      killedCount: await killGroup(tree, keyOf(request)),
    }),
    getGroupStats: async (request): Promise<GetGroupStatsResponse> => ({
      stats: readStats(tree, keyOf(request)),
    }),
  };
}

function describe(parts: CgroupParts, name: string): Group {
  return describeRecord(parts, parts.groups.get(name));
}

async function createGroup(
  parts: CgroupParts,
  request: CreateGroupRequest,
): Promise<CreateGroupResponse> {
  const name = parseGroupName(request.name, 'name');
  const labels = parseLabels(request.labels);
  await parts.groups.settle(parentOf(name));
  const record = parts.groups.create(name, request.resources ?? LinuxResources.create(), labels);
  parts.watch.added(keyOfGroup(name));
  return { group: describeRecord(parts, record) };
}

async function updateGroup(
  parts: CgroupParts,
  request: UpdateGroupRequest,
  signal: AbortSignal,
): Promise<UpdateGroupResponse> {
  const name = parseGroupName(request.name, 'name');
  const requested = request.resources ?? LinuxResources.create();
  const record = await parts.groups.update(name, requested, signal);
  parts.watch.changed(keyOfGroup(name));
  parts.figures.forget(keyOfGroup(name));
  return { group: describeRecord(parts, record) };
}

/** The token of a page is the last name of the page before: names are sorted and never change. */
function listGroups(parts: CgroupParts, request: ListGroupsRequest): ListGroupsResponse {
  const size = parsePageSize(request.pageSize);
  const parent = request.parent === '' ? '' : parseGroupName(request.parent, 'parent');
  if (parent !== '') parts.groups.get(parent);
  const records = parts.groups.list(parent).filter(({ name }) => name > request.pageToken);
  const page = records.slice(0, size);
  return {
    groups: page.map((record) => describeRecord(parts, record)),
    nextPageToken: records.length > size ? (page.at(-1)?.name ?? '') : '',
  };
}
