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
  return { supervisorPid, connection: new SupervisorConnection(socket) };
}
