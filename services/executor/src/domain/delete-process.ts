import { teuError } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import type { ExecutorParts } from './executor-parts.js';
import { connectToSupervisor, isGone } from './follow-process.js';
import { killRemains } from './kill-remains.js';
import { discard } from './launch-process.js';
import type { ProcessEntry } from './process-entry.js';
import { settlesWithin } from './within.js';

/** A killed process ends at once, unless the kernel waits for a device. */
const KILL_TIMEOUT_MS = 10_000;
/** How long unmounting may take after the end (a busy disk) before the directory is removed all the same. */
const RELEASE_TIMEOUT_MS = 10_000;
const SIGKILL = 9;

/**
 * Removes what is left of a process; of a container's first also all its exec processes. When it returns, the container
 * holds no mount any more, so that its storage can go. Deleting twice is one deletion.
 * @throws CONTAINER_RUNNING or PROCESS_RUNNING if it runs and `force` is not set; nothing was changed
 */
export async function deleteProcess(
  parts: ExecutorParts,
  entry: ProcessEntry,
  force: boolean,
): Promise<void> {
  if (entry.state === 'starting' && force) await entry.launched;
  if (entry.deletion === null && entry.exit === undefined && !force) throw stillRuns(entry);
  entry.deletion ??= carryOut(parts, entry);
  try {
    await entry.deletion;
  } catch (error) {
    entry.deletion = null;
    throw error;
  }
}

async function carryOut(parts: ExecutorParts, entry: ProcessEntry): Promise<void> {
  // A launch that failed has left nothing.
  if (entry.state === 'starting') return;
  await end(parts, entry);
  if (entry.execId === '') {
    const container = parts.registry.lookUp(entry.containerId);
    const execs = [...(container?.execs.values() ?? [])];
    await Promise.all(execs.map((exec) => deleteProcess(parts, exec, true)));
  }
  await waitForUnmount(parts, entry);
  failpoint('executor.delete.before-remove');
  await discard(entry);
  parts.registry.remove(entry);
  entry.release();
}

/** A program that joined has no mounts; its children may hold its output for as long as they like. */
async function waitForUnmount(parts: ExecutorParts, entry: ProcessEntry): Promise<void> {
  if (entry.execId !== '') return;
  if (await settlesWithin(RELEASE_TIMEOUT_MS, entry.released)) return;
  parts.log.warn({ process: entry.description }, 'supervisor still unmounts');
}

async function end(parts: ExecutorParts, entry: ProcessEntry): Promise<void> {
  if (entry.exit !== undefined) return;
  await entry.connection?.signal(SIGKILL).catch(() => undefined);
  failpoint('executor.delete.after-kill');
  if (await settlesWithin(KILL_TIMEOUT_MS, entry.ended)) return;
  // The supervisor does not act. What it held is killed by name, its end shows when its line breaks.
  await killRemains(parts, entry);
  if (await settlesWithin(KILL_TIMEOUT_MS, entry.ended)) return;
  throw teuError(
    'UNAVAILABLE',
    `${entry.description} did not end after SIGKILL; nothing is removed`,
  );
}

/** Resolves `released` of a process that ended before this service began, when its supervisor has gone. */
export async function watchRelease(entry: ProcessEntry): Promise<void> {
  try {
    const connection = await connectToSupervisor(entry);
    await connection.closed();
  } catch (error) {
    if (!isGone(error)) throw error;
  }
  entry.release();
}

function stillRuns(entry: ProcessEntry) {
  const reason = entry.execId === '' ? 'CONTAINER_RUNNING' : 'PROCESS_RUNNING';
  return teuError(reason, `${entry.description} runs; end it first, or force`, {
    metadata: { container_id: entry.containerId, exec_id: entry.execId },
  });
}
