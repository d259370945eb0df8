import type { ExecId } from '@teu/ids';
import type { JoinFacts } from './plan/exec-plan.js';
import type { ProcessEntry } from './process-entry.js';

/** A container: its first process, those that joined it, and what the next one has to know. */
export interface ContainerEntry {
  readonly first: ProcessEntry;
  readonly execs: Map<ExecId, ProcessEntry>;
  readonly facts: JoinFacts;
}
