import { isTeuError, teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import {
  ExecutorServiceService,
  type LaunchContainerResponse,
  type Spec,
} from '@teu/proto/executor';
import type { ContainerEntry } from './container-entry.js';
import { EarlyExit } from './early-exit.js';
import type { EngineParts } from './engine-parts.js';
import { buildExecutorSpec, type LaunchParts } from './executor-spec.js';
import { durationFromMs } from './durations.js';
import { containerExit } from './exit-memory.js';
import type { StartClock } from './start-trace.js';
import { recordRevision, type StartedProgram } from './transitions.js';
import { launchInWorld } from './world.js';

const LAUNCH_TIMEOUT_MS = 30_000;
/** Most programs that end at once have ended by then. */
const FLUSH_DELAY_MS = 10;
/** How long the executor may hold its answer back for the end of a program that the client waits for. */
const LINGER_MS = 20;

/** How a container is launched. */
export interface Launch {
  launchParts: LaunchParts;
  /** Whether the client waits for the end: nobody is told of the start, so it need not be on disk at once. */
  waits: boolean;
  /** Whether the executor has made its world in advance. */
  isPrepared: boolean;
  trace: StartClock;
}

/**
 * Launches a container's program and records it.
 * @param record commits the start; the end of the program is told to it, if it ended at once
 */
export async function launch(
  parts: EngineParts,
  entry: ContainerEntry,
  { launchParts, waits, isPrepared, trace }: Launch,
  record: (started: StartedProgram) => void,
): Promise<void> {
  const spec = buildExecutorSpec(entry.container, launchParts);
  const early = new EarlyExit();
  entry.earlyExit = early;
  try {
    const lingerMs = waits ? LINGER_MS : 0;
    const ask = isPrepared ? launchInWorld : askForLaunch;
    const answer = await trace.phase('launch', () => ask(parts, entry.id, spec, lingerMs));
    const { process } = answer;
    if (process === undefined) {
      throw teuError('LAUNCH_FAILED', `the executor says nothing about container ${entry.id}`);
    }
    failpoint('engine.start.after-launch');
    trace.addLaunch(answer.trace);
    const finished = trace.finish();
    const ended = process.exit ?? early.of(process.pid)?.exit;
    const exit = ended && (await containerExit(parts, entry.id, { pid: process.pid, exit: ended }));
    // Written while the program runs; the write that tells of its end brings this one to disk as well.
    const durable = !waits || exit !== undefined;
    record({ process, trace: finished, exit, durable });
    if (!durable) flushLater(parts, entry);
    if (exit === undefined) parts.usage.tell(entry);
  } finally {
    // In the same turn as the record: what is told from here on goes the ordinary way.
    entry.earlyExit = undefined;
  }
}

/** Brings a start that was recorded for nobody to disk; one whose program has ended is there already. */
export function flushStart(parts: EngineParts, entry: ContainerEntry): void {
  if (entry.running) recordRevision(parts, entry, entry.container);
}

/** A program that does not end at once is as safely on record as any other. */
function flushLater(parts: EngineParts, entry: ContainerEntry): void {
  setTimeout(() => {
    try {
      flushStart(parts, entry);
    } catch (error) {
      parts.log.error({ container_id: entry.id, err: error }, 'a start is not on disk yet');
    }
  }, FLUSH_DELAY_MS);
}

async function askForLaunch(
  { peers }: EngineParts,
  containerId: string,
  spec: Spec,
  lingerMs: number,
): Promise<LaunchContainerResponse> {
  try {
    return await peers.executor.call(
      ExecutorServiceService.launchContainer,
      {
        containerId,
        spec,
        logLimits: undefined,
        lingerDuration: durationFromMs(lingerMs),
      },
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
