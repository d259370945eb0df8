import { teuError } from '@teu/errors';
import { writeProgramPlan, type LaunchPlan } from '@teu/native';
import type { Spec } from '@teu/proto/executor';
import type { ExecutorParts } from './executor-parts.js';
import {
  launchHeld,
  prepareLaunch,
  showRunning,
  type ContainerRequest,
  type LaunchedContainer,
} from './launch-container.js';
import { launchError } from './launch-error.js';
import { discard } from './launch-process.js';
import { launchTrace } from './launch-trace.js';
import { planContainer } from './plan/container-plan.js';
import type { ProfileName } from './plan/seccomp.js';
import type { ProcessEntry } from './process-entry.js';

const SIGKILL = 9;

/**
 * Makes a container's world: all that takes long in a launch and does not depend on the program.
 * @throws CONTAINER_EXISTS, INVALID_SPEC, LAUNCH_FAILED…
 */
export async function prepareContainer(
  parts: ExecutorParts,
  request: ContainerRequest,
): Promise<ProcessEntry> {
  const prepared = prepareLaunch(parts, request, 'world');
  const { first, profile, steps } = prepared;
  await launchHeld(parts, prepared);
  first.world = worldOf(steps.plan, profile);
  return first;
}

/**
 * Runs a program in a prepared container.
 * @throws INVALID_STATE if it is not prepared, or the spec needs another world: then nothing was done
 */
export async function launchPrepared(
  parts: ExecutorParts,
  first: ProcessEntry,
  spec: Spec | undefined,
): Promise<LaunchedContainer> {
  const begun = process.hrtime.bigint();
  const { connection } = first;
  const places = { ...first.places, mountPoint: parts.layout.mountPoint };
  const { plan, profile } = planContainer(first.containerId, spec, undefined, places, 'world');
  if (first.state !== 'created' || first.world === undefined || connection === null) {
    throw unfit(first, `is ${first.world === undefined ? 'not prepared' : first.state}`);
  }
  if (first.world !== worldOf(plan, profile)) throw unfit(first, 'is prepared for another spec');
  // From here on there is no way back.
  first.world = undefined;
  first.isStarting = true;
  try {
    writeProgramPlan(plan);
    const planned = process.hrtime.bigint();
    const [, started] = await Promise.all([connection.startPlanned(), connection.started()]);
    showRunning(parts, first, started.process);
    first.isStarting = false;
    const answered = process.hrtime.bigint();
    const trace = launchTrace({ begun, planned, spawned: planned, answered }, started.phases);
    return { first, trace };
  } catch (error) {
    parts.registry.remove(first);
    // It has gone already, unless it never heard of the plan.
    await connection.signal(SIGKILL).catch(() => undefined);
    await connection.closed();
    await discard(first);
    throw launchError(first.description, error);
  }
}

/** What of a plan is made in advance, as a text to compare. */
function worldOf(plan: LaunchPlan, profile: ProfileName): string {
  const { namespaces, target, idMappings, timeOffsets, cgroup, rootfs, mounts } = plan;
  const { devices, links, maskedPaths, readonlyPaths, process } = plan;
  const { terminal, stdin } = process;
  const root = rootfs && { ...rootfs, readonly: undefined };
  return JSON.stringify(
    [
      [namespaces, target, idMappings, timeOffsets, cgroup, root, mounts],
      [devices, links, maskedPaths, readonlyPaths, terminal, stdin, profile],
    ],
    (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value),
  );
}

function unfit(first: ProcessEntry, why: string): Error {
  return teuError('INVALID_STATE', `${first.description} ${why}; nothing was run`, {
    metadata: { container_id: first.containerId, state: first.state },
  });
}
