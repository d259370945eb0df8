import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { readExit, readProcessIdentity } from '@teu/native';
import { readLostMark } from '../store/lost-mark.js';
import { watchRelease } from './delete-process.js';
import type { ExecutorParts } from './executor-parts.js';
import {
  connectToSupervisor,
  followProcess,
  isGone,
  settleWithoutSupervisor,
} from './follow-process.js';
import { bootId } from './host-process.js';
import { lostExit, recordedExit, type ProcessEntry } from './process-entry.js';
import { within } from './within.js';

/** How long a container that was being set up when the service died may still take for it. */
const SET_UP_TIMEOUT_MS = 10_000;

/**
 * Learns what became of a process while no service watched it: from its exit record, from its supervisor, or, if both
 * are missing, that it is lost.
 */
export async function restoreProcess(parts: ExecutorParts, entry: ProcessEntry): Promise<void> {
  const { directory } = entry.places;
  const [identity, exit, lost] = await Promise.all([
    readProcessIdentity(directory),
    readExit(directory),
    readLostMark(directory),
  ]);
  entry.identity = identity;
  entry.supervisorPid = identity?.supervisorPid ?? 0;
  entry.startTime = await writtenAt(join(directory, 'pid'));
  entry.state = 'running';
  if (exit !== null) {
    entry.stop(recordedExit(exit));
    // Its supervisor may still unmount; a delete waits for that.
    watchRelease(entry).catch((error: unknown) => parts.log.warn({ err: error }, 'no release'));
  } else if (lost !== null) {
    entry.stop(lostExit(lost));
    entry.release();
  } else if (identity !== null && identity.bootId !== bootId()) {
    await settleWithoutSupervisor(parts, entry);
  } else {
    await restoreLiving(parts, entry);
  }
}

async function restoreLiving(parts: ExecutorParts, entry: ProcessEntry): Promise<void> {
  try {
    const connection = await connectToSupervisor(entry);
    // At once, unless the service died while this one was set up.
    entry.identity = await within(SET_UP_TIMEOUT_MS, connection.created());
    const [{ supervisorPid }, { state }] = [await connection.identity(), await connection.status()];
    entry.supervisorPid = supervisorPid;
    entry.state = state === 'created' ? 'created' : 'running';
    if (entry.state === 'created') entry.startTime = undefined;
    followProcess(parts, entry, connection);
  } catch (error) {
    if (!isGone(error)) parts.log.error({ err: error, process: entry.description }, 'no answer');
    await settleWithoutSupervisor(parts, entry);
  }
}

/** When a file was written, which for the identity of a process is when it began; undefined without the file. */
async function writtenAt(path: string): Promise<Date | undefined> {
  const found = await stat(path).catch(() => undefined);
  return found?.mtime;
}
