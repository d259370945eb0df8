import { isTeuError, teuError } from '@teu/errors';
import { CgroupServiceService } from '@teu/proto/cgroup';
import { ContainerAction } from '@teu/proto/event';
import { ExecutorServiceService } from '@teu/proto/executor';
import type { ContainerEntry } from './container-entry.js';
import { containerNotFound } from './container-registry.js';
import { notRunning } from './container-state.js';
import { DEFAULT_STOP_TIMEOUT_MS, SIGKILL } from './defaults.js';
import { msFromDuration } from './durations.js';
import type { EngineParts } from './engine-parts.js';
import { requireSpec } from './executor-spec.js';
import { goOn } from './pause-container.js';
import { requireSignal } from './spec-validation.js';
import { recordFacts } from './transitions.js';

/** How long a kill may take; only a process that hangs in the kernel needs longer. */
const KILL_TIMEOUT_MS = 10_000;
const CALL_TIMEOUT_MS = 5_000;
/** A stop is worth waiting for an executor that is being started again. */
const EXECUTOR_PATIENCE_MS = 5_000;

/**
 * Asks a container to stop and kills it when the time is up. Succeeds if it does not run.
 * @throws DEADLINE_EXCEEDED if it did not even end by SIGKILL; it may be tried again.
 */
export async function stopContainer(
  parts: EngineParts,
  entry: ContainerEntry,
  timeoutMs: number | undefined,
): Promise<void> {
  const spec = requireSpec(entry.container);
  const patience = timeoutMs ?? msFromDuration(spec.stopTimeoutDuration) ?? DEFAULT_STOP_TIMEOUT_MS;
  const asked = await entry.mutex.run(async () => {
    if (entry.removed) throw containerNotFound(entry.id);
    if (!entry.running) return false;
    const signal = patience === 0 ? SIGKILL : requireSignal('stop_signal', spec.stopSignal);
    await sendSignal(parts, entry, signal);
    await goOn(parts, entry);
    return true;
  });
  if (!asked || (await stopsWithin(entry, patience))) return;
  await entry.mutex.run(() => killEverything(parts, entry));
  await requireStopped(entry);
}

/**
 * Sends a signal to the first process. A paused container goes on if the signal is to end it, as with docker; any other
 * one it gets when it goes on.
 * @throws CONTAINER_NOT_RUNNING
 */
export async function killContainer(
  parts: EngineParts,
  entry: ContainerEntry,
  signal: number,
): Promise<void> {
  await entry.mutex.run(async () => {
    if (entry.removed) throw containerNotFound(entry.id);
    if (!entry.running || !(await sendSignal(parts, entry, signal))) throw notRunning(entry);
    if (isToEnd(entry, signal)) await goOn(parts, entry);
  });
}

function isToEnd({ container }: ContainerEntry, signal: number): boolean {
  const { stopSignal } = requireSpec(container);
  return signal === SIGKILL || signal === requireSignal('stop_signal', stopSignal);
}

/** Kills a running container as a part of its removal. Does not wait for the end. */
export async function killEverything(parts: EngineParts, entry: ContainerEntry): Promise<void> {
  if (!entry.running) return;
  const byCgroup = parts.peers.cgroup.call(
    CgroupServiceService.killCgroup,
    { id: entry.id },
    { timeoutMs: KILL_TIMEOUT_MS },
  );
  const bySignal = sendSignal(parts, entry, SIGKILL);
  const [cgroup, signal] = await Promise.allSettled([byCgroup, bySignal]);
  // One of them is enough: the first process takes its whole pid namespace with it.
  if (cgroup.status === 'rejected' && signal.status === 'rejected') throw signal.reason;
}

/** @throws DEADLINE_EXCEEDED */
export async function requireStopped(entry: ContainerEntry): Promise<void> {
  if (await stopsWithin(entry, KILL_TIMEOUT_MS)) return;
  throw teuError(
    'DEADLINE_EXCEEDED',
    `container ${entry.id} was killed but its end was not seen in ${KILL_TIMEOUT_MS / 1000} s; ` +
      'it still counts as running',
    { metadata: { container: entry.id } },
  );
}

async function stopsWithin(entry: ContainerEntry, ms: number): Promise<boolean> {
  if (!entry.running) return true;
  const limit = new AbortController();
  // Timers of Node reach no further than 2^31 ms; who asks for more gets that.
  const timer = setTimeout(() => limit.abort(), Math.min(ms, 2 ** 31 - 1));
  await entry.waitUntilStopped(limit.signal);
  clearTimeout(timer);
  return !entry.running;
}

/** False if the program has ended, though its exit is not recorded yet. */
async function sendSignal(
  parts: EngineParts,
  entry: ContainerEntry,
  signal: number,
): Promise<boolean> {
  try {
    await parts.peers.executor.call(
      ExecutorServiceService.signalProcess,
      { containerId: entry.id, execId: '', signal },
      { timeoutMs: CALL_TIMEOUT_MS, retryMs: EXECUTOR_PATIENCE_MS },
    );
  } catch (error) {
    if (isTeuError(error, 'PROCESS_NOT_RUNNING')) return false;
    throw error;
  }
  const action = ContainerAction.CONTAINER_ACTION_KILLED;
  recordFacts(parts, entry, [{ action, signal }]);
  return true;
}
