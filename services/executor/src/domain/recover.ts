import { mkdir, readdir } from 'node:fs/promises';
import { isTeuError } from '@teu/errors';
import { parseContainerId, parseExecId, type ContainerId, type ExecId } from '@teu/ids';
import { readProcessIdentity } from '@teu/native';
import { readContainerRecord } from '../store/container-record.js';
import type { ContainerEntry } from './container-entry.js';
import type { ExecutorParts } from './executor-parts.js';
import { openLine } from './follow-process.js';
import { killRecorded } from './host-process.js';
import { discard } from './launch-process.js';
import { ProcessEntry } from './process-entry.js';
import { restoreProcess } from './restore-process.js';
import { settlesWithin } from './within.js';

/** Containers looked at at a time: enough to keep the disk and the supervisors busy. */
const CONCURRENCY = 64;
/** A killed container is unmounted by its supervisor before that ends. */
const UNDO_TIMEOUT_MS = 5_000;
const SIGKILL = 9;

/** Makes the directories of this service, and takes up the containers that lie there. */
export async function recover(parts: ExecutorParts): Promise<void> {
  const { mountPoint, containers, sockets } = parts.layout;
  for (const directory of [mountPoint, containers, sockets]) {
    await mkdir(directory, { recursive: true, mode: 0o700 });
  }
  const ids = checkedNames(parts, await readdir(containers), parseContainerId);
  const next = ids.values();
  const worker = async () => {
    for (const id of next) {
      // One that can't be read must not keep the others away; its directory keeps the id taken.
      await restoreContainer(parts, id).catch((error: unknown) =>
        parts.log.error({ err: error, container_id: id }, 'not taken up, left alone'),
      );
    }
  };
  await Promise.all(Array.from({ length: CONCURRENCY }, worker));
}

async function restoreContainer(parts: ExecutorParts, id: ContainerId): Promise<void> {
  const first = new ProcessEntry(id, '', parts.layout.container(id));
  const facts = await readContainerRecord(first.places.directory);
  if (facts === null) {
    parts.log.warn({ process: first.description }, 'undoing a launch that was not finished');
    return undoLaunch(first);
  }
  const container: ContainerEntry = { first, execs: new Map(), facts };
  parts.registry.addContainer(container);
  const names = await readdir(parts.layout.execs(id)).catch(() => []);
  const execs = checkedNames(parts, names, parseExecId);
  await Promise.all([
    restoreProcess(parts, first),
    ...execs.map((execId) => restoreExec(parts, container, execId)),
  ]);
}

async function restoreExec(
  parts: ExecutorParts,
  container: ContainerEntry,
  execId: ExecId,
): Promise<void> {
  const id = container.first.containerId;
  const exec = new ProcessEntry(id, execId, parts.layout.exec(id, execId));
  parts.registry.addExec(container, exec);
  await restoreProcess(parts, exec);
}

/** Ends a process whose launch was never told to anybody, and removes what it left. */
async function undoLaunch(entry: ProcessEntry): Promise<void> {
  const identity = await readProcessIdentity(entry.places.directory).catch(() => null);
  if (identity !== null) killRecorded(identity);
  const supervisor = await openLine(entry).catch(() => null);
  if (supervisor !== null) {
    // It may have come further since the identity was read.
    await supervisor.signal(SIGKILL).catch(() => undefined);
    await settlesWithin(UNDO_TIMEOUT_MS, supervisor.closed());
    supervisor.close();
  }
  await discard(entry);
}

/** Names that are ids; others are not ours and stay where they are. */
function checkedNames<Id>(
  parts: ExecutorParts,
  names: string[],
  parse: (name: string) => Id,
): Id[] {
  return names.flatMap((name) => {
    try {
      return [parse(name)];
    } catch (error) {
      if (!isTeuError(error, 'INVALID_ID')) throw error;
      parts.log.warn({ name }, 'not an id, left alone');
      return [];
    }
  });
}
