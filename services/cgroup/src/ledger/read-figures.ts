import type { CpuStats, PressureFigures } from '@teu/proto/cgroup';
import type { Duration } from '@teu/proto/google';
import { FileText, keysOf, parseFirstNumber, parseKeys } from '../domain/file-text.js';
import { DirectoryFiles, GroupGone } from '../stats/directory-files.js';
import { figureDirectories } from '../stats/figure-directories.js';
import { FigureParts, type FigureDirectory } from '../stats/figure-parts.js';
import { OpenFiles } from '../stats/open-files.js';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { NO_FIGURES, type Figures } from './figures.js';

/** What the kernel says of a cgroup. */
export interface KernelFigures {
  /** Without memory times time, which nobody but us counts. */
  readonly figures: Figures;
  /** Tasks now; undefined if the host does not count them. */
  readonly taskCount: number | undefined;
}

const keepNone = new OpenFiles(0);

/** Reads what the ledger needs of a cgroup; undefined if it is gone, or a part of it. */
export function readFigures(tree: CgroupTree, id: string): KernelFigures | undefined {
  const directories = figureDirectories(tree, id);
  const parts = new FigureParts(directories, keepNone);
  try {
    const pids = parts.pids();
    const figures = {
      ...NO_FIGURES,
      ...cpuFigures(parts.cpu(), directories.cpuacct?.version === 1),
      ...memoryFigures(directories.memory),
      ...ioFigures(parts),
      ...pressureFigures(parts),
      pidsPeak: Math.max(pids?.peakCount ?? 0, pids?.currentCount ?? 0),
    };
    return { figures, taskCount: pids?.currentCount };
  } catch (error) {
    if (error instanceof GroupGone) return undefined;
    throw error;
  } finally {
    parts.close();
  }
}

/**
 * @param isByTicks the parts are counted by the ticks of the timer (cpuacct.rst), the whole is exact: then the ratio
 *   of the parts divides the whole, as the kernel does it for processes
 */
function cpuFigures(cpu: CpuStats | undefined, isByTicks: boolean): Partial<Figures> {
  if (cpu === undefined) return {};
  const cpuUs = microsecondsOf(cpu.usageDuration);
  const user = microsecondsOf(cpu.userDuration);
  const system = microsecondsOf(cpu.systemDuration);
  const share = user + system === 0 ? 1 : user / (user + system);
  const cpuUserUs = isByTicks ? Math.round(cpuUs * share) : user;
  return {
    cpuUs,
    cpuUserUs,
    cpuSystemUs: isByTicks ? cpuUs - cpuUserUs : system,
    throttledUs: microsecondsOf(cpu.throttledDuration),
    throttledPeriods: cpu.throttledPeriodCount,
  };
}

const OOM_KILL = keysOf('oom_kill');
const NOTHING = FileText.of('');

/** Two files of what FigureParts reads: the others take the kernel longer than all the rest. */
function memoryFigures(directory: FigureDirectory | undefined): Partial<Figures> {
  if (directory === undefined) return {};
  const files = new DirectoryFiles(directory.path, keepNone);
  const [peak, events] =
    directory.version === 1
      ? (['memory.max_usage_in_bytes', 'memory.oom_control'] as const)
      : (['memory.peak', 'memory.events'] as const);
  const [oomKills = 0] = parseKeys(files.read(events) ?? NOTHING, OOM_KILL);
  // memory.peak came with Linux 5.19; without it the highest sample stands in.
  return { oomKills, memoryPeak: parseFirstNumber(files.read(peak) ?? NOTHING) };
}

/** Groups that the container made below its own count. */
function ioFigures(parts: FigureParts): Partial<Figures> {
  const io = parts.io();
  return {
    ioReadBytes: io?.readBytes ?? 0,
    ioWriteBytes: io?.writeBytes ?? 0,
    ioReadCount: io?.readCount ?? 0,
    ioWriteCount: io?.writeCount ?? 0,
  };
}

function pressureFigures(parts: FigureParts): Partial<Figures> {
  const pressure = parts.pressure();
  const total = (some?: PressureFigures) => microsecondsOf(some?.totalDuration);
  return {
    cpuPressureUs: total(pressure?.cpu?.some),
    memoryPressureUs: total(pressure?.memory?.some),
    ioPressureUs: total(pressure?.io?.some),
  };
}

function microsecondsOf(duration: Duration | undefined): number {
  return duration === undefined ? 0 : duration.seconds * 1e6 + Math.round(duration.nanos / 1000);
}
