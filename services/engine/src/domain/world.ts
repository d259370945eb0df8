import {
  Container,
  ContainerSpec,
  NetworkMode,
  type ContainerSpec as Wanted,
} from '@teu/proto/engine';
import { isTeuError } from '@teu/errors';
import {
  ExecutorServiceService,
  ProcessState,
  type LaunchPreparedResponse,
  type Spec,
} from '@teu/proto/executor';
import { durationFromMs } from './durations.js';
import type { EngineParts } from './engine-parts.js';
import { buildExecutorSpec } from './executor-spec.js';
import type { WarmStart } from './warm-pool.js';

const TIMEOUT_MS = 30_000;

/**
 * Has the executor make all of a container that does not depend on its program: the container of a client that asks for
 * nothing special. The program itself is a placeholder.
 */
export async function prepareWorld(
  { peers }: Pick<EngineParts, 'peers'>,
  start: Pick<WarmStart, 'containerId' | 'rootMounts' | 'membership' | 'fileMounts'>,
): Promise<void> {
  const { containerId } = start;
  const asked = ContainerSpec.create({ args: ['to be told'], workingDir: '/' });
  const spec = buildExecutorSpec(Container.create({ id: containerId, spec: asked }), start);
  await peers.executor.call(
    ExecutorServiceService.prepareContainer,
    { containerId, spec, logLimits: undefined },
    { timeoutMs: TIMEOUT_MS },
  );
}

/** Whether a container with this spec can run in such a world. */
export function fitsWorld({ terminal, stdinOpen, network }: Wanted): boolean {
  return !terminal && !stdinOpen && network !== NetworkMode.NETWORK_MODE_HOST;
}

/**
 * Runs a program in a world.
 * @throws INVALID_STATE or CONTAINER_NOT_FOUND if the world does not serve: then nothing was run
 */
export async function launchInWorld(
  { peers }: Pick<EngineParts, 'peers'>,
  containerId: string,
  spec: Spec,
  lingerMs: number,
): Promise<LaunchPreparedResponse> {
  const request = { containerId, spec, lingerDuration: durationFromMs(lingerMs) };
  try {
    return await peers.executor.call(ExecutorServiceService.launchPrepared, request, {
      timeoutMs: TIMEOUT_MS,
    });
  } catch (error) {
    if (!isTeuError(error, 'INVALID_STATE')) throw error;
    const { process } = await peers.executor.call(ExecutorServiceService.getProcess, {
      containerId,
      execId: '',
    });
    // It runs, or has: the call was repeated after its answer was lost.
    const isLaunched =
      process?.startTime !== undefined && process.state !== ProcessState.PROCESS_STATE_CREATED;
    if (isLaunched) return { process, trace: undefined };
    throw error;
  }
}
