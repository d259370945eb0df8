import { HierarchyMode } from '@teu/proto/cgroup';
import { describeCgroups } from './testing/suite/describe-cgroups.js';

describeCgroups({
  name: 'cgroups of version 2 on a kernel',
  modes: [HierarchyMode.HIERARCHY_MODE_V2],
});
