import { CgroupServiceService, type Stats } from '@teu/proto/cgroup';
import type { ContainerExit } from '@teu/proto/engine';
import type { ExitStatus } from '@teu/proto/executor';
import { OomScope, type OomKill } from '@teu/proto/type';
import type { EngineParts } from './engine-parts.js';
import { exitOf } from './process-exit.js';

/** The exit is recorded without knowing about memory rather than late. */
const STATS_TIMEOUT_MS = 2_000;

/** What the cgroup service says of a container's memory. */
export interface MemoryReport {
  stats?: Stats | undefined;
  /** Newest first. */
  oomKills: OomKill[];
}

/** What the kernel killed in a container for want of memory. */
export interface KilledForMemory {
  oomKilled: boolean;
  /** What is known of it. */
  oomKill: OomKill | undefined;
}

const NOTHING: KilledForMemory = { oomKilled: false, oomKill: undefined };

/** How a container's program ended. Only of one that failed the cgroup is asked whether memory was the reason. */
export async function containerExit(
  parts: Pick<EngineParts, 'peers' | 'log'>,
  id: string,
  { pid, exit }: { pid: number; exit: ExitStatus },
): Promise<ContainerExit> {
  const failed = exit.exitCode !== 0 || exit.lost;
  return { ...exitOf(exit), ...(failed ? await askForMemory(parts, id, pid) : NOTHING) };
}

/**
 * Finds out whether the kernel has killed something in a container, and what to name as the cause of its end.
 *
 * @param pid - Of the container's program, by which its own end is told from those of its children.
 */
export function killedForMemory({ stats, oomKills }: MemoryReport, pid: number): KilledForMemory {
  const isKnown = ({ scope }: OomKill): boolean => scope !== OomScope.OOM_SCOPE_UNSPECIFIED;
  const known = oomKills.filter(isKnown);
  return {
    oomKilled: (stats?.memory?.oomKillCount ?? 0) > 0 || oomKills.length > 0,
    oomKill: known.find((kill) => kill.pid === pid) ?? known[0],
  };
}

async function askForMemory(
  { peers, log }: Pick<EngineParts, 'peers' | 'log'>,
  id: string,
  pid: number,
): Promise<KilledForMemory> {
  try {
    const options = { timeoutMs: STATS_TIMEOUT_MS };
    const report = await peers.cgroup.call(CgroupServiceService.getStats, { id }, options);
    return killedForMemory(report, pid);
  } catch (error) {
    log.warn({ container_id: id, err: error }, 'no memory figures at an exit');
    return NOTHING;
  }
}
