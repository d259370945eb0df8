import { defineFailpoints } from '@teu/failpoint';

/** Places where a test may end this service; one per step that leaves something behind. */
export const FAILPOINTS = defineFailpoints('executor', [
  /** The directory of the process is there, nothing else. */
  'executor.launch.after-directory',
  /** The supervisor runs and sets the container up; nothing is recorded. */
  'executor.launch.after-spawn',
  /** The record is written; nobody was told that the container runs. */
  'executor.launch.after-record',
  /** The process was told to end. */
  'executor.delete.after-kill',
  /** Nothing runs any more, everything is still on disk. */
  'executor.delete.before-remove',
  /** A supervisor is found dead; what it left still runs. */
  'executor.recover.before-kill',
] as const);
