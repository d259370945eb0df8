import { mkdirSync } from 'node:fs';
import { isTeuError, teuError, type TeuError } from '@teu/errors';
import type { ExecId } from '@teu/ids';
import type { ProcessIdentity } from '@teu/native';
import type { LogLimits, Process } from '@teu/proto/executor';
import type { ContainerEntry } from './container-entry.js';
import type { ExecutorParts } from './executor-parts.js';
import { joinAsNow } from './joined-cgroups.js';
import { showRunning } from './launch-container.js';
import { launchProcess } from './launch-process.js';
import { planExec } from './plan/exec-plan.js';
import { ProcessEntry } from './process-entry.js';
import { settlesWithin } from './within.js';

/** How long the news of a container's end may be on its way. */
const END_NEWS_MS = 200;

/** What to run in a container. */
export interface ExecRequest {
  execId: ExecId;
  process: Process | undefined;
  logLimits: LogLimits | undefined;
}

/**
 * Runs another program in a container: it joins all its namespaces and cgroups.
 * @throws CONTAINER_NOT_RUNNING, also if the container ends meanwhile; PROCESS_EXISTS, INVALID_SPEC,
 *   PROGRAM_NOT_FOUND, LAUNCH_FAILED…
 */
export async function execProcess(
  parts: ExecutorParts,
  container: ContainerEntry,
  request: ExecRequest,
): Promise<ProcessEntry> {
  const begun = process.hrtime.bigint();
  const id = container.first.containerId;
  const target = runningIdentity(container);
  const places = parts.layout.exec(id, request.execId);
  const entry = new ProcessEntry(id, request.execId, places);
  const plan = planExec(request.execId, request.process, request.logLimits, places, target, {
    ...container.facts,
    cgroup: joinAsNow(container.facts.cgroup, target.pid),
  });
  parts.registry.addExec(container, entry);
  try {
    await launchProcess(parts, entry, {
      plan,
      begun,
      beforeDirectory: () => mkdirSync(parts.layout.execs(id), { recursive: true, mode: 0o700 }),
      outcome: (connection) => connection.started(),
      show: ({ process: identity }) => showRunning(parts, entry, identity),
    });
  } catch (error) {
    // Its namespaces end with the container, a moment before anybody is told: then joining them is what failed.
    if (!isTeuError(error, 'LAUNCH_FAILED')) throw error;
    if (await settlesWithin(END_NEWS_MS, container.first.ended)) throw notRunning(container, error);
    throw error;
  }
  return entry;
}

function runningIdentity(container: ContainerEntry): ProcessIdentity {
  const { state, identity, deletion } = container.first;
  if (state !== 'running' || identity === null || deletion !== null) throw notRunning(container);
  return identity;
}

function notRunning({ first }: ContainerEntry, cause?: TeuError): TeuError {
  return teuError('CONTAINER_NOT_RUNNING', `${first.description} does not run`, {
    metadata: { container_id: first.containerId, state: first.state },
    ...(cause === undefined ? {} : { cause }),
  });
}
