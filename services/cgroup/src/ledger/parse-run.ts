import { teuError } from '@teu/errors';
import { parseContainerId, type ContainerId } from '@teu/ids';
import { Run } from '@teu/proto/cgroup';

/** A run with all its labels and phases, encoded. */
const MOST_BYTES = 1024 * 1024;

/**
 * Checks a run that has begun.
 * @throws INVALID_ARGUMENT, INVALID_ID
 */
export function parseRun(run: Run | undefined): Run {
  if (run === undefined) throw invalid('run', 'is missing');
  parseContainerId(run.containerId, 'run.container_id');
  requireTime(run.startTime, 'run.start_time');
  if (Run.encode(run).finish().length > MOST_BYTES) throw invalid('run', 'is longer than 1 MiB');
  return { ...run, end: undefined };
}

/**
 * Checks a run that has ended, of this container.
 * @throws INVALID_ARGUMENT, INVALID_ID
 */
export function parseEndedRun(run: Run, id: ContainerId): Run {
  const parsed = parseRun(run);
  if (run.containerId !== id) throw invalid('run.container_id', 'is not that of the cgroup');
  if (run.end === undefined) throw invalid('run.end', 'is missing');
  requireTime(run.end.exitTime, 'run.end.exit_time');
  return { ...parsed, end: run.end };
}

function requireTime(time: Date | undefined, field: string): void {
  if (time === undefined) throw invalid(field, 'is missing');
  if (!(time.getTime() >= 0)) throw invalid(field, 'is before 1970');
}

function invalid(field: string, problem: string): Error {
  return teuError('INVALID_ARGUMENT', `${field} ${problem}`, { metadata: { field } });
}
