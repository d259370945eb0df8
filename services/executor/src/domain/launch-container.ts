import type { ContainerId } from '@teu/ids';
import type { ProcessIdentity, StartedInfo } from '@teu/native';
import type { LaunchTrace, LogLimits, Spec } from '@teu/proto/executor';
import { writeContainerRecord } from '../store/container-record.js';
import type { ContainerEntry } from './container-entry.js';
import type { ExecutorParts } from './executor-parts.js';
import { launchProcess } from './launch-process.js';
import { launchTrace } from './launch-trace.js';
import { planContainer } from './plan/container-plan.js';
import type { JoinFacts } from './plan/exec-plan.js';
import { ownNamespaces } from './plan/namespaces.js';
import { ProcessEntry } from './process-entry.js';

/** What to launch; checked here. */
export interface ContainerRequest {
  id: ContainerId;
  spec: Spec | undefined;
  logLimits: LogLimits | undefined;
}

/** A container that was set up, and how long that took. */
export interface LaunchedContainer {
  first: ProcessEntry;
  trace: LaunchTrace;
}

/** Sets a container up and runs its program. @throws CONTAINER_EXISTS, INVALID_SPEC, PROGRAM_NOT_FOUND, LAUNCH_FAILED… */
export async function launchContainer(
  parts: ExecutorParts,
  request: ContainerRequest,
): Promise<LaunchedContainer> {
  const prepared = prepare(parts, request, false);
  const { result, times } = await launchProcess<StartedInfo>(parts, prepared.first, {
    ...prepared.steps,
    outcome: (connection) => connection.started(),
    show: ({ process }) => showRunning(parts, prepared.first, process),
  });
  return { first: prepared.first, trace: launchTrace(times, result.phases) };
}

/** Sets a container up to the point before its program runs. */
export async function createContainer(
  parts: ExecutorParts,
  request: ContainerRequest,
): Promise<LaunchedContainer> {
  const prepared = prepare(parts, request, true);
  const { times } = await launchProcess<ProcessIdentity>(parts, prepared.first, {
    ...prepared.steps,
    outcome: (connection) => connection.created(),
    show: (identity) => {
      prepared.first.identity = identity;
      prepared.first.state = 'created';
    },
  });
  return { first: prepared.first, trace: launchTrace(times, NO_PHASES) };
}

/** The process runs from now on. */
export function showRunning(
  parts: ExecutorParts,
  entry: ProcessEntry,
  identity: ProcessIdentity,
): void {
  entry.identity = identity;
  entry.startTime = parts.clock.now();
  entry.state = 'running';
}

function prepare(parts: ExecutorParts, request: ContainerRequest, hold: boolean) {
  const begun = process.hrtime.bigint();
  const places = parts.layout.container(request.id);
  const { plan, profile } = planContainer(
    request.id,
    request.spec,
    request.logLimits,
    { ...places, mountPoint: parts.layout.mountPoint },
    hold,
  );
  const first = new ProcessEntry(request.id, '', places);
  const facts: JoinFacts = {
    namespaces: ownNamespaces(plan.namespaces),
    cgroup: plan.cgroup,
    profile,
  };
  const container: ContainerEntry = { first, execs: new Map(), facts };
  parts.registry.addContainer(container);
  const steps = {
    plan,
    begun,
    whileStarting: () => writeContainerRecord(places.directory, facts),
  };
  return { first, steps };
}

/** A held container has not finished its launch: its phases come with the start. */
const NO_PHASES = {
  init: 0n,
  plan: 0n,
  clone: 0n,
  joined: 0n,
  rootfs: 0n,
  mounts: 0n,
  pivot: 0n,
  masks: 0n,
  seccomp: 0n,
  exec: 0n,
};
