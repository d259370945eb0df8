import type { Logger } from '@teu/log';
import type { Store } from '@teu/state';
import type { Groups } from './groups/groups.js';
import type { Figures } from './stats/figures.js';
import type { LedgerClock } from './ledger/boot-clock.js';
import type { UsageLedger } from './ledger/usage-ledger.js';
import type { CallCost } from './metrics/call-cost.js';
import type { CgroupTree } from './tree/cgroup-tree.js';
import type { CgroupWatch } from './watch/cgroup-watch.js';

/** Name of a container by its id; empty if it is not known (yet). */
export type ContainerNames = (id: string) => string;

/** What the methods of the service work with. Made once in server.ts. */
export interface CgroupParts {
  readonly log: Logger;
  /** Node name in the subjects of events. */
  readonly node: string;
  readonly store: Store;
  readonly tree: CgroupTree;
  readonly groups: Groups;
  readonly names: ContainerNames;
  readonly figures: Figures;
  /** What making cgroups has cost. */
  readonly creations: CallCost;
  readonly ledger: UsageLedger;
  /** What the ledger measures time by. */
  readonly clock: LedgerClock;
  /** What the kernel notifies of; also what it killed for want of memory: `watch.oomKills(id)`. */
  readonly watch: CgroupWatch;
}
