import type { Clock } from '@teu/ids';
import type { Logger } from '@teu/log';
import type { Layout } from '../store/layout.js';
import type { ExitBoard } from './exit-board.js';
import type { ProcessRegistry } from './process-registry.js';

/** What the operations of this service work with. */
export interface ExecutorParts {
  readonly layout: Layout;
  readonly registry: ProcessRegistry;
  readonly exits: ExitBoard;
  readonly clock: Clock;
  readonly log: Logger;
  /** True once the service stops: lines that break then mean nothing. */
  readonly isClosing: () => boolean;
}
