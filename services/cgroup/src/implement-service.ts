import { parseGroupName } from '@teu/ids';
import { CgroupServiceService, GroupServiceService } from '@teu/proto/cgroup';
import { implement, type Implementation } from '@teu/rpc';
import type { CgroupParts } from './cgroup-parts.js';
import { createGroupHandlers } from './handlers/group-service.js';
import { createCgroup } from './handlers/create-cgroup.js';
import { deleteCgroup } from './handlers/delete-cgroup.js';
import { freezeCgroup } from './handlers/freeze-cgroup.js';
import { getCgroup } from './handlers/get-cgroup.js';
import { getHierarchy } from './handlers/get-hierarchy.js';
import { getStats } from './handlers/get-stats.js';
import { killCgroup } from './handlers/kill-cgroup.js';
import { listCgroups } from './handlers/list-cgroups.js';
import { thawCgroup } from './handlers/thaw-cgroup.js';
import { updateCgroup } from './handlers/update-cgroup.js';
import { watchStats } from './handlers/watch-stats.js';
import { encodeSample } from './stats/encode-sample.js';
import { StatsWatches } from './stats/stats-watches.js';

/** Messages of streams of figures are encoded by parts that several have in common. */
const DEFINITION = {
  ...CgroupServiceService,
  watchStats: { ...CgroupServiceService.watchStats, responseSerialize: encodeSample },
};

/** The methods of the service over the groups of one engine. */
export function implementCgroupService(parts: CgroupParts): Implementation {
  const { tree, figures } = parts;
  const watches = new StatsWatches(tree, figures);
  return implement(DEFINITION, {
    createCgroup: async (request) => {
      if (request.group !== '') await parts.groups.settle(parseGroupName(request.group));
      return parts.creations.measure(() => createCgroup(parts, request));
    },
    getCgroup: async (request) => getCgroup(tree, request),
    listCgroups: async (request) => listCgroups(tree, request),
    updateCgroup: async (request, { signal }) => {
      const response = await updateCgroup(parts, request, signal);
      figures.forget(request.id);
      return response;
    },
    deleteCgroup: async (request) => {
      const response = await deleteCgroup(parts, request);
      figures.forget(request.id);
      return response;
    },
    killCgroup: (request) => killCgroup(tree, request),
    freezeCgroup: (request) => freezeCgroup(tree, request),
    thawCgroup: (request) => thawCgroup(tree, request),
    getStats: (request) => getStats(parts, request),
    watchStats: (request, context) => watchStats(parts, watches, request, context),
    getHierarchy: async () => getHierarchy(tree),
  });
}

/** The methods for groups of containers. */
export function implementGroupService(parts: CgroupParts): Implementation {
  return implement(GroupServiceService, createGroupHandlers(parts));
}
