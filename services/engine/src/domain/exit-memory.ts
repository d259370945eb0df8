import { CgroupServiceService, type Stats } from '@teu/proto/cgroup';
import type { ContainerExit } from '@teu/proto/engine';
import type { ExitStatus } from '@teu/proto/executor';
import type { EngineParts } from './engine-parts.js';
import { exitOf } from './process-exit.js';

/** The exit is recorded without knowing about memory rather than late. */
const STATS_TIMEOUT_MS = 2_000;

/** How a container's program ended. Only of one that failed the cgroup is asked whether memory was the reason. */
export async function containerExit(
  parts: Pick<EngineParts, 'peers' | 'log'>,
  id: string,
  status: ExitStatus,
): Promise<ContainerExit> {
  const failed = status.exitCode !== 0 || status.lost;
  return exitOf(status, failed && (await wasKilledForMemory(parts, id)));
}

/** Whether the kernel has killed something in a cgroup for want of memory. */
export function killedForMemory(stats: Stats): boolean {
  return (stats.memory?.oomKillCount ?? 0) > 0;
}

async function wasKilledForMemory(
  { peers, log }: Pick<EngineParts, 'peers' | 'log'>,
  id: string,
): Promise<boolean> {
  try {
    const options = { timeoutMs: STATS_TIMEOUT_MS };
    const { stats } = await peers.cgroup.call(CgroupServiceService.getStats, { id }, options);
    return stats !== undefined && killedForMemory(stats);
  } catch (error) {
    log.warn({ container_id: id, err: error }, 'no memory figures at an exit');
    return false;
  }
}
