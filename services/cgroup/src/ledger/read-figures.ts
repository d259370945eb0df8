import { FileText } from '../domain/file-text.js';
import type { ControllerName } from '../domain/host.js';
import { parseKeyed, parseNumber } from '../domain/keyed-file.js';
import { ioStatsV1, ioStatsV2 } from '../domain/io-stats.js';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { readIfThere } from '../tree/group-files.js';
import { NO_FIGURES, type CounterName, type Figures } from './figures.js';

/** What the kernel says of a cgroup. */
export interface KernelFigures {
  /** Without memory times time, which nobody but us counts. */
  readonly figures: Figures;
  /** Tasks now; undefined if the host does not count them. */
  readonly taskCount: number | undefined;
}

/** Reads what the ledger needs of a cgroup; undefined if it is gone, or a part of it. */
export function readFigures(tree: CgroupTree, id: string): KernelFigures | undefined {
  const at = (name: ControllerName): Group | undefined => groupAt(tree, name, id);
  const cpu = cpuFigures(at('cpu'), at('cpuacct'));
  const memory = memoryFigures(at('memory'));
  if (cpu === undefined || memory === undefined) return undefined;
  const pids = at('pids');
  const current = pids?.read('pids.current');
  if (pids !== undefined && current === undefined) return undefined;
  const taskCount = current === undefined ? undefined : parseNumber(current);
  const figures = {
    ...NO_FIGURES,
    ...cpu,
    ...memory,
    ...ioFigures(at('blkio'), at('io')),
    ...pressureFigures(tree, id),
    pidsPeak: Math.max(numberIn(pids, 'pids.peak'), taskCount ?? 0),
  };
  return { figures, taskCount };
}

/** Reads a file of a group by its name; undefined if this kernel does not have it. */
type ReadFile = (name: string) => string | undefined;

interface Group {
  readonly version: 1 | 2;
  readonly read: ReadFile;
}

function groupAt(tree: CgroupTree, name: ControllerName, id: string): Group | undefined {
  const group = tree.groupOf(name, id);
  if (group === undefined) return undefined;
  const { path, version } = group;
  return { version, read: (file) => readIfThere(`${path}/${file}`) };
}

function numberIn(group: Group | undefined, file: string): number {
  return parseNumber(group?.read(file) ?? '0');
}

function cpuFigures(cpu?: Group, cpuacct?: Group): Partial<Figures> | undefined {
  if (cpuacct?.version === 1) return cpuFiguresV1(cpuacct, cpu);
  return cpu === undefined ? {} : cpuFiguresV2(cpu);
}

/**
 * Version 1 (cpuacct.rst). The whole is exact, its parts are counted by the ticks of the timer, so that their
 * ratio divides the whole, as the kernel does it for processes.
 */
function cpuFiguresV1(cpuacct: Group, cpu: Group | undefined): Partial<Figures> | undefined {
  const usage = cpuacct.read('cpuacct.usage');
  if (usage === undefined) return undefined;
  const cpuUs = Math.round(parseNumber(usage) / 1000);
  const user = numberIn(cpuacct, 'cpuacct.usage_user');
  const system = numberIn(cpuacct, 'cpuacct.usage_sys');
  const cpuUserUs = user + system === 0 ? cpuUs : Math.round((cpuUs * user) / (user + system));
  const stat = parseKeyed(cpu?.read('cpu.stat') ?? '');
  return {
    cpuUs,
    cpuUserUs,
    cpuSystemUs: cpuUs - cpuUserUs,
    throttledUs: Math.round((stat.get('throttled_time') ?? 0) / 1000),
    throttledPeriods: stat.get('nr_throttled') ?? 0,
  };
}

/** Version 2 (cgroup-v2.rst): cpu.stat, in microseconds. */
function cpuFiguresV2(cpu: Group): Partial<Figures> | undefined {
  const text = cpu.read('cpu.stat');
  if (text === undefined) return undefined;
  const stat = parseKeyed(text);
  return {
    cpuUs: stat.get('usage_usec') ?? 0,
    cpuUserUs: stat.get('user_usec') ?? 0,
    cpuSystemUs: stat.get('system_usec') ?? 0,
    throttledUs: stat.get('throttled_usec') ?? 0,
    throttledPeriods: stat.get('nr_throttled') ?? 0,
  };
}

/** memory.peak came with Linux 5.19; without it the highest sample stands in. */
function memoryFigures(memory?: Group): Partial<Figures> | undefined {
  if (memory === undefined) return {};
  const [peak, events] =
    memory.version === 1
      ? (['memory.max_usage_in_bytes', 'memory.oom_control'] as const)
      : (['memory.peak', 'memory.events'] as const);
  const text = memory.read(events);
  if (text === undefined) return undefined;
  return {
    memoryPeak: numberIn(memory, peak),
    oomKills: parseKeyed(text).get('oom_kill') ?? 0,
  };
}

/** Groups that the container made below its own count. */
function ioFigures(blkio?: Group, io?: Group): Partial<Figures> {
  const group = blkio ?? io;
  if (group === undefined) return {};
  const read = (name: string): FileText | undefined => {
    const text = group.read(name);
    return text === undefined ? undefined : FileText.of(text);
  };
  const stats = (group.version === 1 ? ioStatsV1 : ioStatsV2)({ read, limit: () => undefined });
  return {
    ioReadBytes: stats.readBytes,
    ioWriteBytes: stats.writeBytes,
    ioReadCount: stats.readCount,
    ioWriteCount: stats.writeCount,
  };
}

const PRESSURE_FILES: readonly [file: string, name: CounterName][] = [
  ['cpu.pressure', 'cpuPressureUs'],
  ['memory.pressure', 'memoryPressureUs'],
  ['io.pressure', 'ioPressureUs'],
];

/** Totals of the "some" lines (psi.rst), in microseconds, where the cgroup is in a version 2 tree. */
function pressureFigures(tree: CgroupTree, id: string): Partial<Figures> {
  const hierarchy = tree.host.hierarchies.find(({ version }) => version === 2);
  if (hierarchy === undefined) return {};
  const path = tree.groupIn(hierarchy, id);
  const totals = PRESSURE_FILES.map(([file, name]) => {
    const text = readIfThere(`${path}/${file}`) ?? '';
    return [name, Number(/^some .*\btotal=(\d+)/m.exec(text)?.[1] ?? 0)];
  });
  return Object.fromEntries(totals) as Partial<Figures>;
}
