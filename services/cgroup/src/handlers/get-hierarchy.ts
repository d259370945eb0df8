import type { GetHierarchyResponse } from '@teu/proto/cgroup';
import type { CgroupTree } from '../tree/cgroup-tree.js';

export function getHierarchy(tree: CgroupTree): GetHierarchyResponse {
  return {
    mode: tree.host.mode,
    controllers: tree.host.hierarchies.flatMap(({ controllers, version, mountPath }) =>
      controllers.map((name) => ({ name, version, mountPath })),
    ),
    groupPath: tree.groupPath,
  };
}
