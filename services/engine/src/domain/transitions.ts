import { bootId } from '@teu/state';
import {
  ContainerState,
  type Container,
  type ContainerExit,
  type ContainerSpec,
  type StartTrace,
} from '@teu/proto/engine';
import { ContainerAction } from '@teu/proto/event';
import type { ContainerProcess } from '@teu/proto/executor';
import { announce, type ContainerFact } from './container-events.js';
import { ContainerEntry } from './container-entry.js';
import type { EngineParts } from './engine-parts.js';
import { requireSpec } from './executor-spec.js';
import { storedRun } from './run-usage.js';
import { wholeTeardown } from './teardown-queue.js';

/** All changes of state. Each is one durable transaction of row, events and intents; memory follows the disk. */
type Parts = Pick<
  EngineParts,
  'store' | 'table' | 'requests' | 'journal' | 'node' | 'registry' | 'teardown' | 'drivers'
>;

/** What a creation begins with. */
export interface Creation {
  container: Container;
  operation: 'create' | 'run';
  request: { requestId: string; digest: string } | undefined;
}

/**
 * Records a new container, and that its creation is under way. Gives the intent's id.
 * @throws CONTAINER_NAME_IN_USE, DRIVER_NOT_FOUND
 */
export function recordCreation(
  parts: Parts,
  { container: draft, operation, request }: Creation,
): { entry: ContainerEntry; intentId: string } {
  parts.registry.requireFreeName(draft.name);
  // It may have begun to leave since the draft; from here on the container is in the way of that.
  parts.drivers.forNew(draft.driver);
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

/** Writes a record that nobody was told of yet, or that is not on disk yet. */
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

/** A program that was launched. */
export interface StartedProgram {
  process: ContainerProcess;
  trace: StartTrace;
  /** How it ended, if it has by now. */
  exit: ContainerExit | undefined;
  /** False if nobody is told before a later write. */
  durable: boolean;
}

/** Records that the program of a recorded container runs, or that it ran. */
export function recordRunning(
  parts: Parts,
  entry: ContainerEntry,
  intentId: string,
  started: StartedProgram,
): void {
  const { CONTAINER_ACTION_STARTED: action } = ContainerAction;
  const container = runningContainer(entry.container, started);
  parts.store.transaction(() => {
    parts.store.intents.finish(intentId);
    container.lastSequence = announce(parts, container, [
      { action },
      ...exitFacts(started.exit, container),
    ]);
    parts.requests.setAnswer(entry.id, container);
    if (started.exit === undefined) parts.table.update(container, bootId());
    else storeEnded(parts, container, bootId());
  }, started);
  settleEntry(parts, entry, container);
}

/** Records a container that was launched before it was recorded, from its creation on. */
export function recordWarmRun(
  parts: Parts,
  entry: ContainerEntry,
  intentId: string,
  started: StartedProgram,
  request: Creation['request'],
): void {
  const { CONTAINER_ACTION_CREATED, CONTAINER_ACTION_STARTED } = ContainerAction;
  const container = runningContainer(entry.container, started);
  const facts = [
    { action: CONTAINER_ACTION_CREATED, requestId: request?.requestId },
    { action: CONTAINER_ACTION_STARTED },
    ...exitFacts(started.exit, container),
  ];
  entry.position = parts.store.transaction(() => {
    parts.store.intents.finish(intentId);
    container.lastSequence = announce(parts, container, facts);
    if (request !== undefined) {
      parts.requests.insert({ ...request, containerId: entry.id });
      parts.requests.setAnswer(entry.id, container);
    }
    if (started.exit !== undefined) noteEnd(parts, container);
    const isGone = started.exit !== undefined && requireSpec(container).autoRemove;
    return isGone ? 0 : parts.table.insert(container, bootId());
  }, started);
  parts.registry.add(entry);
  settleEntry(parts, entry, container);
}

/** Takes back a launch that failed of a container that was not recorded: only the events tell of it. */
export function undoWarmRun(
  parts: Parts,
  entry: ContainerEntry,
  intentId: string,
  request: Creation['request'],
  problem: string,
): void {
  const { CONTAINER_ACTION_CREATED, CONTAINER_ACTION_START_FAILED, CONTAINER_ACTION_REMOVED } =
    ContainerAction;
  parts.registry.release(entry);
  entry.markRemoved();
  parts.store.transaction(() => {
    parts.store.intents.finish(intentId);
    announce(parts, entry.container, [
      { action: CONTAINER_ACTION_CREATED, requestId: request?.requestId },
      { action: CONTAINER_ACTION_START_FAILED, error: problem },
      { action: CONTAINER_ACTION_REMOVED },
    ]);
    parts.teardown.schedule(wholeTeardown(entry.container));
  });
}

/** Records how the program ended; a container that removes itself is gone with the same transaction. */
export function recordExit(parts: Parts, entry: ContainerEntry, exit: ContainerExit): void {
  const container = endedContainer(entry.container, exit);
  parts.store.transaction(() => {
    container.lastSequence = announce(parts, container, exitFacts(exit, container));
    storeEnded(parts, container, entry.bootId);
  });
  settleEntry(parts, entry, container, entry.bootId);
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

/** Records that a container is paused or goes on, with the intent of it. */
export function recordPaused(
  parts: Parts,
  entry: ContainerEntry,
  paused: boolean,
  intentId: string,
): void {
  const { CONTAINER_ACTION_PAUSED, CONTAINER_ACTION_UNPAUSED } = ContainerAction;
  const action = paused ? CONTAINER_ACTION_PAUSED : CONTAINER_ACTION_UNPAUSED;
  const container = { ...entry.container, paused };
  parts.store.transaction(() => {
    parts.store.intents.finish(intentId);
    container.lastSequence = announce(parts, container, [{ action }]);
    parts.table.update(container, entry.bootId);
  });
  entry.accept(container);
}

/** Records that limits of a container were changed, with the intent of it. */
export function recordUpdated(
  parts: Parts,
  entry: ContainerEntry,
  spec: ContainerSpec,
  intentId: string,
): void {
  const action = ContainerAction.CONTAINER_ACTION_UPDATED;
  const container = { ...entry.container, spec };
  parts.store.transaction(() => {
    parts.store.intents.finish(intentId);
    container.lastSequence = announce(parts, container, [{ action }]);
    parts.table.update(container, entry.bootId);
  });
  entry.accept(container);
}

/** Records an exit anew, because only the last figures of the cgroup told that something was killed for want of memory. */
export function recordLateOom(parts: Parts, entry: ContainerEntry, exit: ContainerExit): void {
  const action = ContainerAction.CONTAINER_ACTION_OOM_KILLED;
  const container = { ...entry.container, exit };
  parts.store.transaction(() => {
    const fact = { action, oomKill: exit.oomKill };
    container.lastSequence = announce(parts, container, [fact]);
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

function runningContainer(container: Container, started: StartedProgram): Container {
  const { process, trace, exit } = started;
  const running: Container = {
    ...container,
    state: ContainerState.CONTAINER_STATE_RUNNING,
    pid: process.pid,
    startTime: process.startTime,
    startTrace: trace,
    exit: undefined,
  };
  return exit === undefined ? running : endedContainer(running, exit);
}

function endedContainer(container: Container, exit: ContainerExit): Container {
  const state = ContainerState.CONTAINER_STATE_EXITED;
  return { ...container, state, pid: 0, paused: false, exit };
}

/** In a transaction: the row of a container whose program has ended, and what is to be cleared away of it. */
function storeEnded(parts: Parts, container: Container, startedIn: string): void {
  noteEnd(parts, container);
  if (requireSpec(container).autoRemove) parts.table.delete(container.id);
  else parts.table.update(container, startedIn);
}

/** In a transaction: what follows from the end of a program, but for the row. */
function noteEnd(parts: Parts, container: Container): void {
  parts.requests.setFinal(container.id, container);
  const task = requireSpec(container).autoRemove
    ? wholeTeardown(container)
    : { containerId: container.id, cgroup: true };
  parts.teardown.schedule({ ...task, run: storedRun(container) });
}

/** After the transaction: memory follows the disk. */
function settleEntry(
  parts: Parts,
  entry: ContainerEntry,
  container: Container,
  startedIn = bootId(),
): void {
  entry.accept(container, startedIn);
  const isOver = container.state === ContainerState.CONTAINER_STATE_EXITED;
  if (isOver && requireSpec(container).autoRemove) parts.registry.remove(entry);
}

function exitFacts(exit: ContainerExit | undefined, container: Container): ContainerFact[] {
  if (exit === undefined) return [];
  const { CONTAINER_ACTION_EXITED, CONTAINER_ACTION_OOM_KILLED, CONTAINER_ACTION_REMOVED } =
    ContainerAction;
  return [
    ...(exit.oomKilled ? [{ action: CONTAINER_ACTION_OOM_KILLED, oomKill: exit.oomKill }] : []),
    {
      action: CONTAINER_ACTION_EXITED,
      exitCode: exit.exitCode,
      ...(exit.signal === 0 ? {} : { signal: exit.signal }),
    },
    ...(requireSpec(container).autoRemove ? [{ action: CONTAINER_ACTION_REMOVED }] : []),
  ];
}
