import { launch, type LaunchPlan, type SupervisorConnection } from '@teu/native';
import { mkdirSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { failpoint } from '@teu/failpoint';
import type { ExecutorParts } from './executor-parts.js';
import { followProcess } from './follow-process.js';
import { launchError } from './launch-error.js';
import type { ServiceTimes } from './launch-trace.js';
import type { ProcessEntry } from './process-entry.js';
import { processExists } from './process-registry.js';
import { settlesWithin, within } from './within.js';

/** Setting a container up takes milliseconds; a storage mount may wait for a disk. Then it is given up. */
const LAUNCH_TIMEOUT_MS = 60_000;
/** How long a supervisor whose launch failed may take to clear up after itself. */
const CLEAR_UP_TIMEOUT_MS = 5_000;

/** What a launch does beside what every launch does. */
export interface LaunchSteps<T> {
  plan: LaunchPlan;
  /** When the request came, for the trace (`process.hrtime.bigint()`). */
  begun: bigint;
  /** Makes what the directory of the process lies in. */
  beforeDirectory?: () => void;
  /** Runs while the supervisor works. */
  whileStarting?: () => void;
  /** Waits for the supervisor's news that ends the launch. */
  outcome: (connection: SupervisorConnection) => Promise<T>;
  /** Shows the process to others: it runs. */
  show: (result: T) => void;
}

/**
 * Starts a supervisor with a plan and waits for its news. A launch that fails leaves nothing: no process, no directory,
 * no socket, no entry. File system work is synchronous here: each call takes some 30 µs, and less than the way to the
 * thread pool and back.
 */
export async function launchProcess<T>(
  parts: ExecutorParts,
  entry: ProcessEntry,
  steps: LaunchSteps<T>,
): Promise<{ result: T; times: ServiceTimes }> {
  let connection: SupervisorConnection | null = null;
  let supervisorPid = 0;
  let madeDirectory = false;
  try {
    steps.beforeDirectory?.();
    makeDirectory(entry);
    madeDirectory = true;
    failpoint('executor.launch.after-directory');
    const planned = process.hrtime.bigint();
    ({ connection, supervisorPid } = launch(steps.plan));
    const spawned = process.hrtime.bigint();
    failpoint('executor.launch.after-spawn');
    steps.whileStarting?.();
    failpoint('executor.launch.after-record');
    const result = await within(LAUNCH_TIMEOUT_MS, steps.outcome(connection));
    const answered = process.hrtime.bigint();
    entry.supervisorPid = supervisorPid;
    steps.show(result);
    followProcess(parts, entry, connection);
    return { result, times: { begun: steps.begun, planned, spawned, answered } };
  } catch (error) {
    if (connection !== null) await clearUp(connection, supervisorPid);
    if (madeDirectory) await discard(entry);
    parts.registry.remove(entry);
    throw launchError(entry.description, error);
  } finally {
    entry.tellLaunched();
  }
}

/** @throws CONTAINER_EXISTS or PROCESS_EXISTS if something lies there that this service did not know of. */
function makeDirectory(entry: ProcessEntry): void {
  try {
    mkdirSync(entry.places.directory, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') throw processExists(entry);
    throw error;
  }
}

/** Removes what lies on disk of a process. */
export async function discard(entry: ProcessEntry): Promise<void> {
  await rm(entry.places.directory, { recursive: true, force: true, maxRetries: 5 });
  await rm(entry.places.socketPath, { force: true });
}

/** A supervisor ends by itself after it reported a failure; one that does not is killed, and its child with it. */
async function clearUp(connection: SupervisorConnection, supervisorPid: number): Promise<void> {
  const ended = await settlesWithin(CLEAR_UP_TIMEOUT_MS, connection.closed());
  if (!ended) {
    try {
      process.kill(supervisorPid, 'SIGKILL');
    } catch {
      // It ended after all.
    }
  }
  connection.close();
}
