import { failpoint } from '@teu/failpoint';
import { ContainerState, type ContainerSpec } from '@teu/proto/engine';
import { ExecutorServiceService } from '@teu/proto/executor';
import type { ContainerEntry } from './container-entry.js';
import { containerNotFound } from './container-registry.js';
import { rebaseBeforeStart } from './bases/rebase-container.js';
import { draftContainer, type Draft } from './draft.js';
import type { EngineParts } from './engine-parts.js';
import { failedStart, problemOf, undo } from './failed-start.js';
import { launch } from './launch.js';
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
import { runWarm } from './warm-run.js';

/** A request to make a container, after its repeatability was looked at. */
export interface NewContainer {
  spec: ContainerSpec;
  request: { requestId: string; digest: string } | undefined;
}

/** How a run is made. */
export interface RunOptions {
  trace: StartClock;
  /** Whether the client waits for the end. */
  waits: boolean;
}

const DELETE_TIMEOUT_MS = 30_000;
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
export function runContainer(
  parts: EngineParts,
  container: NewContainer,
  options: RunOptions,
): Promise<ContainerEntry> {
  return parts.activity.during(() => runNew(parts, container, options));
}

async function runNew(
  parts: EngineParts,
  { spec, request }: NewContainer,
  options: RunOptions,
): Promise<ContainerEntry> {
  const draft = await draftContainer(parts, spec, options.trace, true);
  const warm =
    draft.warm && (await runWarm(parts, { ...draft, warm: draft.warm }, request, options));
  if (warm !== undefined) return warm;
  // What was made in advance did not serve: all of it is given up, also the id.
  const cold = draft.warm === undefined ? draft : await draftContainer(parts, spec, options.trace);
  return runCold(parts, cold, request, options);
}

async function runCold(
  parts: EngineParts,
  draft: Draft,
  request: NewContainer['request'],
  { trace, waits }: RunOptions,
): Promise<ContainerEntry> {
  const { entry, intentId } = trace.phaseSync('record', () =>
    recordCreation(parts, { container: draft.container, operation: 'run', request }),
  );
  return entry.mutex.run(async () => {
    try {
      failpoint('engine.run.after-intent');
      const launchParts = await prepareNew(parts, entry, draft, trace);
      const how = { launchParts, waits, isPrepared: false, trace };
      await launch(parts, entry, how, (started) => recordRunning(parts, entry, intentId, started));
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
      await rebaseBeforeStart(parts, entry);
      const launchParts = await prepareAgain(parts, entry, trace);
      const how = { launchParts, waits: false, isPrepared: false, trace };
      await launch(parts, entry, how, (started) => recordRunning(parts, entry, intentId, started));
    } catch (error) {
      undo(parts, entry, () => undoStart(parts, entry, intentId, failedStart(error)));
      throw error;
    }
    failpoint('engine.start.after-record');
  });
}

/** The executor takes an id only once, and an old cgroup would count for the new run. */
async function clearEarlierRun(parts: EngineParts, entry: ContainerEntry): Promise<void> {
  await parts.teardown.settle(entry.id);
  if (entry.container.state !== ContainerState.CONTAINER_STATE_EXITED) return;
  await parts.readers.whenFree(entry.id, READERS_TIMEOUT_MS);
  await parts.peers.executor.call(
    ExecutorServiceService.deleteProcess,
    { containerId: entry.id, execId: '', force: true },
    { timeoutMs: DELETE_TIMEOUT_MS },
  );
}
