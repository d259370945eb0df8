import { Socket } from 'node:net';
import { loadAddon } from './addon.js';
import { callNative } from './call-native.js';
import type { LaunchPlan } from './launch-plan.js';
import { encodeLaunchPlan } from './plan-encoder.js';
import { SupervisorConnection } from './supervisor-connection.js';

export interface LaunchedSupervisor {
  supervisorPid: number;
  /** Its first client; `started()` tells whether the plan could be carried out. */
  connection: SupervisorConnection;
}

/**
 * Starts a supervisor with a plan. Blocks the event loop for about 0.1 ms (clone3 with CLONE_VFORK, then execveat of the
 * sealed teu-init), whatever the size of this process; everything else happens in the supervisor.
 * @throws NativeError if no supervisor could be started; a plan that fails later rejects `connection.started()`.
 * @throws TypeError naming the field if the plan is malformed.
 */
export function launch(plan: LaunchPlan): LaunchedSupervisor {
  const bytes = encodeLaunchPlan(plan);
  const { supervisorPid, controlFd } = callNative(() => loadAddon().launch(bytes, plan.id));
  const socket = new Socket({ fd: controlFd, readable: true, writable: true });
  const connection = new SupervisorConnection(socket);
  void connection.closed().then(() => collectSoon(supervisorPid));
  return { supervisorPid, connection };
}

/** Supervisors whose line has ended, and which have not been collected yet. */
const uncollected = new Set<number>();

/**
 * A supervisor closes its line a moment before it can be collected. If it was this side that closed it, the supervisor may
 * live for years: there is an end to looking, and the end of another line looks again.
 */
function collectSoon(supervisorPid: number): void {
  uncollected.add(supervisorPid);
  const delaysMs = [1, 5, 50, 500];
  const look = (attempt: number): void => {
    collect();
    const delay = delaysMs[attempt];
    if (delay === undefined || !uncollected.has(supervisorPid)) return;
    setTimeout(look, delay, attempt + 1).unref();
  };
  look(0);
}

function collect(): void {
  for (const pid of uncollected) {
    if (loadAddon().reapSupervisor(pid)) uncollected.delete(pid);
  }
}
