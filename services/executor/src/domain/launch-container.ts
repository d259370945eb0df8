import type { ContainerId } from '@teu/ids';
import type { ProcessIdentity, StartedInfo } from '@teu/native';
import type { LaunchTrace, LogLimits, Spec } from '@teu/proto/executor';
import { writeContainerRecord } from '../store/container-record.js';
import type { ContainerEntry } from './container-entry.js';
import type { ExecutorParts } from './executor-parts.js';
import { launchProcess, type LaunchSteps } from './launch-process.js';
import { launchTrace, type ServiceTimes } from './launch-trace.js';
import { planContainer, type Hold } from './plan/container-plan.js';
import type { JoinFacts } from './plan/exec-plan.js';
import { ownNamespaces } from './plan/namespaces.js';
import type { ProfileName } from './plan/seccomp.js';
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
  const prepared = prepareLaunch(parts, request, 'nowhere');
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
  const prepared = prepareLaunch(parts, request, 'program');
  const times = await launchHeld(parts, prepared);
  return { first: prepared.first, trace: launchTrace(times, NO_PHASES) };
}

/** Carries a launch out up to where it waits. */
export async function launchHeld(
  parts: ExecutorParts,
  { first, steps }: PreparedLaunch,
): Promise<ServiceTimes> {
  const { times } = await launchProcess<ProcessIdentity>(parts, first, {
    ...steps,
    outcome: (connection) => connection.created(),
    show: (identity) => {
      first.identity = identity;
      first.state = 'created';
    },
  });
  return times;
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

/** A launch that is thought through and has taken its id. */
export interface PreparedLaunch {
  first: ProcessEntry;
  profile: ProfileName;
  steps: Pick<LaunchSteps<never>, 'plan' | 'begun' | 'whileStarting'>;
}

/** Plans a launch and takes the id. @throws CONTAINER_EXISTS, INVALID_SPEC, INVALID_ARGUMENT, UNSUPPORTED_MOUNT */
export function prepareLaunch(
  parts: ExecutorParts,
  request: ContainerRequest,
  hold: Hold,
): PreparedLaunch {
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
  return { first, profile, steps };
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
