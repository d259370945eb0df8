import { bootId } from '@teu/state';
import {
  ContainerState,
  type Container,
  type ContainerExit,
  type StartTrace,
} from '@teu/proto/engine';
import { ContainerAction } from '@teu/proto/event';
import type { ContainerProcess } from '@teu/proto/executor';
import { announce, type ContainerFact } from './container-events.js';
import { ContainerEntry } from './container-entry.js';
import type { EngineParts } from './engine-parts.js';
import { requireSpec } from './executor-spec.js';
import { wholeTeardown } from './teardown-queue.js';

/** All changes of state. Each is one durable transaction of row, events and intents; memory follows the disk. */
type Parts = Pick<
  EngineParts,
  'store' | 'table' | 'requests' | 'journal' | 'node' | 'registry' | 'teardown'
>;

/** What a creation begins with. */
export interface Creation {
  container: Container;
  operation: 'create' | 'run';
  request: { requestId: string; digest: string } | undefined;
}

/**
 * Records a new container, and that its creation is under way. Gives the intent's id.
 * @throws CONTAINER_NAME_IN_USE
 */
export function recordCreation(
  parts: Parts,
  { container: draft, operation, request }: Creation,
): { entry: ContainerEntry; intentId: string } {
  parts.registry.requireFreeName(draft.name);
  const recorded = parts.store.transaction(() => {
    const fact = {
      action: ContainerAction.CONTAINER_ACTION_CREATED,
      requestId: request?.requestId,
    };
    const container = { ...draft, lastSequence: announce(parts, draft, [fact]) };
    const intentId = parts.store.intents.begin({
      operation,
      objectKey: container.id,
      payload: { driver: container.driver, snapshotKey: container.snapshotKey },
    });
    const position = parts.table.insert(container);
    if (request !== undefined) parts.requests.insert({ ...request, containerId: container.id });
    return { container, position, intentId };
  });
  const entry = new ContainerEntry(recorded.container, recorded.position);
  parts.registry.add(entry);
  return { entry, intentId: recorded.intentId };
}

/** Ends a creation without a start. */
export function recordCreated(parts: Parts, entry: ContainerEntry, intentId: string): void {
  parts.store.transaction(() => {
    parts.store.intents.finish(intentId);
    parts.requests.setAnswer(entry.id, entry.container);
  });
}

/**
 * Takes back a creation that failed: nothing is left of it but what the events tell.
 * @param startProblem why it did not start, if it was to.
 */
export function undoCreation(
  parts: Parts,
  entry: ContainerEntry,
  intentId: string,
  startProblem?: string,
): void {
  const { CONTAINER_ACTION_START_FAILED, CONTAINER_ACTION_REMOVED } = ContainerAction;
  const facts: ContainerFact[] =
    startProblem === undefined
      ? []
      : [{ action: CONTAINER_ACTION_START_FAILED, error: startProblem }];
  parts.store.transaction(() => {
    announce(parts, entry.container, [...facts, { action: CONTAINER_ACTION_REMOVED }]);
    parts.table.delete(entry.id);
    parts.requests.deleteOf(entry.id);
    parts.store.intents.finish(intentId);
    parts.teardown.schedule(wholeTeardown(entry.container));
  });
  parts.registry.remove(entry);
}

/** Replaces a record that nobody was told of yet. */
export function recordRevision(parts: Parts, entry: ContainerEntry, container: Container): void {
  parts.store.transaction(() => parts.table.update(container, entry.bootId));
  entry.accept(container);
}

/** Says that the start of an existing container is under way. Gives the intent's id. */
export function recordStart(parts: Parts, entry: ContainerEntry): string {
  return parts.store.intents.begin({ operation: 'start', objectKey: entry.id });
}

/** Takes back a start that failed: the container is as it was before, and says why it could not start. */
export function undoStart(
  parts: Parts,
  entry: ContainerEntry,
  intentId: string,
  exit: ContainerExit,
): void {
  const container = { ...entry.container, exit };
  parts.store.transaction(() => {
    const action = ContainerAction.CONTAINER_ACTION_START_FAILED;
    container.lastSequence = announce(parts, container, [{ action, error: exit.error }]);
    parts.table.update(container, entry.bootId);
    parts.store.intents.finish(intentId);
    parts.teardown.schedule({ containerId: entry.id, process: true, cgroup: true });
  });
  entry.accept(container);
}

/** Records that the program runs. */
export function recordRunning(
  parts: Parts,
  entry: ContainerEntry,
  intentId: string,
  started: { process: ContainerProcess | undefined; trace: StartTrace },
): void {
  const container: Container = {
    ...entry.container,
    state: ContainerState.CONTAINER_STATE_RUNNING,
    pid: started.process?.pid ?? 0,
    startTime: started.process?.startTime,
    startTrace: started.trace,
    exit: undefined,
  };
  parts.store.transaction(() => {
    const action = ContainerAction.CONTAINER_ACTION_STARTED;
    container.lastSequence = announce(parts, container, [{ action }]);
    parts.table.update(container, bootId());
    parts.store.intents.finish(intentId);
    parts.requests.setAnswer(entry.id, container);
  });
  entry.accept(container, bootId());
}

/** Records how the program ended; a container that removes itself is gone with the same transaction. */
export function recordExit(parts: Parts, entry: ContainerEntry, exit: ContainerExit): void {
  const removes = requireSpec(entry.container).autoRemove;
  const container: Container = {
    ...entry.container,
    state: ContainerState.CONTAINER_STATE_EXITED,
    pid: 0,
    exit,
  };
  parts.store.transaction(() => {
    container.lastSequence = announce(parts, container, exitFacts(exit, removes));
    parts.requests.setFinal(entry.id, container);
    if (removes) {
      parts.table.delete(entry.id);
      parts.teardown.schedule(wholeTeardown(container));
    } else {
      parts.table.update(container, entry.bootId);
      parts.teardown.schedule({ containerId: entry.id, cgroup: true });
    }
  });
  entry.accept(container);
  if (removes) parts.registry.remove(entry);
}

/** Records facts that leave the state as it is. */
export function recordFacts(
  parts: Parts,
  entry: ContainerEntry,
  facts: readonly ContainerFact[],
  also: () => void = () => undefined,
): void {
  const container = { ...entry.container };
  parts.store.transaction(() => {
    container.lastSequence = announce(parts, container, facts);
    if (!entry.removed) parts.table.update(container, entry.bootId);
    also();
  });
  if (!entry.removed) entry.accept(container);
}

/** Records what only the last figures of the cgroup told: that something in it was killed for want of memory. */
export function recordLateOom(parts: Parts, entry: ContainerEntry, exit: ContainerExit): void {
  const action = ContainerAction.CONTAINER_ACTION_OOM_KILLED;
  const container = { ...entry.container, exit: { ...exit, oomKilled: true } };
  parts.store.transaction(() => {
    container.lastSequence = announce(parts, container, [{ action }]);
    parts.table.update(container, entry.bootId);
  });
  entry.accept(container);
}

/** Removes a container that does not run; its name is free at once. */
export function recordRemoval(parts: Parts, entry: ContainerEntry): void {
  parts.store.transaction(() => {
    const action = ContainerAction.CONTAINER_ACTION_REMOVED;
    announce(parts, entry.container, [{ action }]);
    parts.table.delete(entry.id);
    parts.teardown.schedule(wholeTeardown(entry.container));
  });
  parts.registry.remove(entry);
}

function exitFacts(exit: ContainerExit, removes: boolean): ContainerFact[] {
  const { CONTAINER_ACTION_EXITED, CONTAINER_ACTION_OOM_KILLED, CONTAINER_ACTION_REMOVED } =
    ContainerAction;
  return [
    ...(exit.oomKilled ? [{ action: CONTAINER_ACTION_OOM_KILLED }] : []),
    {
      action: CONTAINER_ACTION_EXITED,
      exitCode: exit.exitCode,
      ...(exit.signal === 0 ? {} : { signal: exit.signal }),
    },
    ...(removes ? [{ action: CONTAINER_ACTION_REMOVED }] : []),
  ];
}
