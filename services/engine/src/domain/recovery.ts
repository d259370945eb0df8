import { bootId, type Intent } from '@teu/state';
import { clock } from '@teu/ids';
import { ContainerEntry } from './container-entry.js';
import type { EngineParts } from './engine-parts.js';
import type { ExecSessions } from './exec-sessions.js';
import { unknownExit } from './process-exit.js';
import { FREEZE_OPERATION } from './freezer.js';
import { UPDATE_OPERATION } from './limit-updates.js';
import { recordExit, undoCreation, undoStart } from './transitions.js';

const INTERRUPTED = 'the engine ended during the start; it was undone';
const HOST_RESTARTED = 'the host restarted';

/**
 * Brings memory and disk together after a start of the engine: reads the containers, undoes what was begun and not
 * answered, goes on with what is to be cleared away, and records the end of what a restart of the host ended. Needs
 * none of the other services.
 */
export function recover(parts: EngineParts, execs: ExecSessions): void {
  const { containers, quarantined } = parts.table.load();
  for (const { container, position, bootId: startedIn } of containers) {
    parts.registry.add(new ContainerEntry(container, position, startedIn));
  }
  for (const { id, name, problem } of quarantined) {
    const fields = { container_id: id, name, problem };
    parts.log.error(fields, 'the record of a container is damaged and was put aside');
  }
  for (const intent of parts.store.intents.list()) recoverIntent(parts, intent);
  for (const entry of parts.registry.all()) {
    if (!entry.running) continue;
    if (entry.bootId === bootId()) parts.usage.tell(entry);
    else recordExit(parts, entry, unknownExit(HOST_RESTARTED));
  }
  for (const { execId, containerId } of parts.execs.list()) execs.adopt(execId, containerId);
}

function recoverIntent(parts: EngineParts, intent: Intent): void {
  const entry = parts.registry.byId(intent.objectKey);
  switch (intent.operation) {
    case 'teardown':
      parts.teardown.adopt(intent);
      return;
    case 'warm':
      clearUnrecorded(parts, intent);
      return;
    case 'rebase':
      clearCopy(parts, intent);
      return;
    case FREEZE_OPERATION:
      // Put in order when the cgroup service is there (Freezer.resume).
      return;
    case UPDATE_OPERATION:
      // Limits of a running container are put in order when the cgroup service is there (LimitUpdates.resume).
      parts.limits.recover(intent);
      return;
    case 'edit':
      // Taken up when the other services are there (BaseUpgrades.resume).
      return;
    case 'create':
    case 'run':
      if (entry === undefined) clearUnrecorded(parts, intent);
      else undoCreation(parts, entry, intent.id, startProblem(intent));
      return;
    case 'start':
      if (entry === undefined) parts.store.intents.finish(intent.id);
      else undoStart(parts, entry, intent.id, { ...unknownExit(INTERRUPTED), exitCode: 128 });
      return;
    default:
      parts.log.error(
        { operation: intent.operation },
        'an intent of an unknown kind is left alone',
      );
  }
}

function startProblem(intent: Intent): string | undefined {
  return intent.operation === 'run' ? INTERRUPTED : undefined;
}

/** There is no row (not yet, or it was damaged): what was made can still be named. */
function clearUnrecorded(parts: EngineParts, intent: Intent): void {
  const { driver, snapshotKey } = intent.payload as { driver: string; snapshotKey: string };
  parts.store.transaction(() => {
    parts.store.intents.finish(intent.id);
    parts.teardown.schedule({
      containerId: intent.objectKey,
      process: true,
      cgroup: true,
      snapshot: { driver, key: snapshotKey },
      files: true,
    });
  });
}

/** A layer that was to take the place of a container's, and did not: the record would have ended the intent. */
function clearCopy({ store, teardown }: EngineParts, intent: Intent): void {
  const { driver, snapshotKey: key } = intent.payload as { driver: string; snapshotKey: string };
  store.transaction(() => {
    store.intents.finish(intent.id);
    teardown.schedule({ containerId: intent.objectKey, snapshot: { driver, key } });
  });
}

/** How long the answer of a request can be had again. */
const REQUESTS_KEPT_MS = 24 * 3600_000;

/** Forgets what nobody will ask for any more. */
export function expireRequests(parts: Pick<EngineParts, 'requests'>): void {
  parts.requests.expire(new Date(clock.now().getTime() - REQUESTS_KEPT_MS));
}
