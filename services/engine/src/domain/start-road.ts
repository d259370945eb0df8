import { isTeuError, teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import { clock } from '@teu/ids';
import { ContainerState, type ContainerExit, type ContainerSpec } from '@teu/proto/engine';
import {
  ExecutorServiceService,
  type LaunchContainerResponse,
  type Spec,
} from '@teu/proto/executor';
import type { ContainerEntry } from './container-entry.js';
import { containerNotFound } from './container-registry.js';
import { draftContainer } from './draft.js';
import type { EngineParts } from './engine-parts.js';
import { buildExecutorSpec, type LaunchParts } from './executor-spec.js';
import { prepareAgain, prepareLayer, prepareNew } from './prepare-start.js';
import { StartClock } from './start-trace.js';
import {
  recordCreated,
  recordCreation,
  recordRunning,
  recordStart,
  undoCreation,
  undoStart,
} from './transitions.js';

/** A request to make a container, after its repeatability was looked at. */
export interface NewContainer {
  spec: ContainerSpec;
  request: { requestId: string; digest: string } | undefined;
}

const LAUNCH_TIMEOUT_MS = 30_000;
/** How long a new run waits for clients that still read the output of the one before. */
const READERS_TIMEOUT_MS = 2_000;

/** Records a container and makes its root file system. It does not run. */
export async function createContainer(
  parts: EngineParts,
  { spec, request }: NewContainer,
): Promise<ContainerEntry> {
  const trace = new StartClock();
  const draft = await draftContainer(parts, spec, trace);
  const { container } = draft;
  const { entry, intentId } = recordCreation(parts, { container, operation: 'create', request });
  return entry.mutex.run(async () => {
    try {
      failpoint('engine.create.after-intent');
      await prepareLayer(parts, entry, draft, trace);
      recordCreated(parts, entry, intentId);
    } catch (error) {
      undo(parts, entry, () => undoCreation(parts, entry, intentId));
      throw error;
    }
    failpoint('engine.create.after-record');
    return entry;
  });
}

/** Makes a container and runs it. If that fails, nothing of it is left. */
export async function runContainer(
  parts: EngineParts,
  { spec, request }: NewContainer,
  trace: StartClock,
): Promise<ContainerEntry> {
  const draft = await draftContainer(parts, spec, trace);
  const { entry, intentId } = trace.phaseSync('record', () =>
    recordCreation(parts, { container: draft.container, operation: 'run', request }),
  );
  return entry.mutex.run(async () => {
    try {
      failpoint('engine.run.after-intent');
      const launchParts = await prepareNew(parts, entry, draft, trace);
      await launch(parts, entry, launchParts, intentId, trace);
    } catch (error) {
      undo(parts, entry, () => undoCreation(parts, entry, intentId, problemOf(error)));
      throw error;
    }
    failpoint('engine.start.after-record');
    return entry;
  });
}

/** Runs a container that is created or has ended. One that runs is left alone. */
export async function startContainer(
  parts: EngineParts,
  entry: ContainerEntry,
  trace: StartClock,
): Promise<void> {
  await entry.mutex.run(async () => {
    if (entry.removed) throw containerNotFound(entry.id);
    if (entry.running) return;
    const intentId = trace.phaseSync('record', () => recordStart(parts, entry));
    try {
      failpoint('engine.start.after-intent');
      await clearEarlierRun(parts, entry);
      const launchParts = await prepareAgain(parts, entry, trace);
      await launch(parts, entry, launchParts, intentId, trace);
    } catch (error) {
      undo(parts, entry, () => undoStart(parts, entry, intentId, failedStart(error)));
      throw error;
    }
    failpoint('engine.start.after-record');
  });
}

/** How a start that failed looks in the record: with the exit code that docker gives for it. */
export function failedStart(error: unknown): ContainerExit {
  const exitCode = isTeuError(error, 'PROGRAM_NOT_FOUND')
    ? 127
    : isTeuError(error, 'PROGRAM_NOT_EXECUTABLE')
      ? 126
      : 128;
  const problem = problemOf(error);
  return { exitCode, signal: 0, oomKilled: false, exitTime: clock.now(), error: problem };
}

/** The executor takes an id only once, and an old cgroup would count for the new run. */
async function clearEarlierRun(parts: EngineParts, entry: ContainerEntry): Promise<void> {
  await parts.teardown.settle(entry.id);
  if (entry.container.state !== ContainerState.CONTAINER_STATE_EXITED) return;
  await parts.readers.whenFree(entry.id, READERS_TIMEOUT_MS);
  await parts.peers.executor.call(
    ExecutorServiceService.deleteProcess,
    { containerId: entry.id, execId: '', force: true },
    { timeoutMs: LAUNCH_TIMEOUT_MS },
  );
}

async function launch(
  parts: EngineParts,
  entry: ContainerEntry,
  launchParts: LaunchParts,
  intentId: string,
  trace: StartClock,
): Promise<void> {
  const spec = buildExecutorSpec(entry.container, launchParts);
  const answer = await trace.phase('launch', () => askForLaunch(parts, entry.id, spec));
  if (answer.process === undefined) {
    throw teuError('LAUNCH_FAILED', `the executor says nothing about container ${entry.id}`);
  }
  failpoint('engine.start.after-launch');
  trace.addLaunch(answer.trace);
  recordRunning(parts, entry, intentId, { process: answer.process, trace: trace.finish() });
}

async function askForLaunch(
  { peers }: EngineParts,
  containerId: string,
  spec: Spec,
): Promise<LaunchContainerResponse> {
  try {
    return await peers.executor.call(
      ExecutorServiceService.launchContainer,
      { containerId, spec, logLimits: undefined },
      { timeoutMs: LAUNCH_TIMEOUT_MS },
    );
  } catch (error) {
    if (!isTeuError(error, 'CONTAINER_EXISTS')) throw error;
    // The call was repeated after its answer was lost.
    const request = { containerId, execId: '' };
    const { process } = await peers.executor.call(ExecutorServiceService.getProcess, request);
    return { process, trace: undefined };
  }
}

/** An undo that can't be recorded (full disk) is made up for by the next start of the engine: its intent stays. */
function undo(parts: EngineParts, entry: ContainerEntry, record: () => void): void {
  try {
    record();
  } catch (error) {
    parts.log.error({ container_id: entry.id, err: error }, 'could not record the undo of a start');
  }
}

/** What events and records say about a failure; causes and host paths stay in the log. */
function problemOf(error: unknown): string {
  return isTeuError(error) ? error.message : 'internal error; the log has the details';
}
