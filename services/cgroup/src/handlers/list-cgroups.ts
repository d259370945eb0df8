import { isTeuError } from '@teu/errors';
import { parsePageSize } from '@teu/ids';
import type { Cgroup, ListCgroupsRequest, ListCgroupsResponse } from '@teu/proto/cgroup';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { describeGroup } from '../tree/describe-group.js';

/** The token of a page is the last id of the page before: ids are sorted and never change. */
export function listCgroups(tree: CgroupTree, request: ListCgroupsRequest): ListCgroupsResponse {
  const size = parsePageSize(request.pageSize);
  const ids = tree.ids().filter((id) => id > request.pageToken);
  const page = ids.slice(0, size);
  return {
    cgroups: page.flatMap((id) => describeIfThere(tree, id)),
    nextPageToken: ids.length > size ? (page.at(-1) ?? '') : '',
  };
}

function describeIfThere(tree: CgroupTree, id: string): Cgroup[] {
  try {
    return [describeGroup(tree, id)];
  } catch (error) {
    if (isTeuError(error, 'CGROUP_NOT_FOUND')) return [];
    throw error;
  }
}
