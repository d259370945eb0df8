import type { BaseUpgrades } from './bases/base-upgrades.js';
import type { EngineParts } from './engine-parts.js';
import type { ExecSessions } from './exec-sessions.js';
import type { RepeatableRequests } from './repeatable-requests.js';

/** The engine as its handlers see it. */
export interface Engine extends EngineParts {
  execSessions: ExecSessions;
  repeatable: RepeatableRequests;
  bases: BaseUpgrades;
  /** Version of the engine. */
  version: string;
}
