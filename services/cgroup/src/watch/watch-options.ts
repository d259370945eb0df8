import { hierarchyOf, type CgroupHost, type ControllerName } from '../domain/host.js';

/** What is told beside limits that were reached. */
export interface WatchOptions {
  /** Per cent of time in which at least one task waited; 0 for nothing. */
  readonly pressureThreshold: PressureThresholds;
  /** Level of memory pressure that is told where the kernel does not measure waiting; "off" for none. */
  readonly pressureLevel: 'off' | 'low' | 'medium' | 'critical';
  /** Whether the kernel's log is read, which has the causes of kills for want of memory. */
  readonly kernelLog: boolean;
  /** Share of periods, 0 to 1, in which a quota of processor time is used up, from which on it is told; 0 for never. */
  readonly throttleShare: number;
  /** How often that is looked at. */
  readonly throttleIntervalMs: number;
  /** What happens often is told at most this often, the times in between together; 0 for each by itself. */
  readonly eventWindowMs: number;
}

export interface PressureThresholds {
  readonly memory: number;
  readonly io: number;
  readonly cpu: number;
}

/** The window in which waiting is measured, in microseconds (native/src/watch/pressure_trigger.h). */
const WINDOW_US = 2_000_000;

/**
 * Arguments of teu-cgroup-watch.
 *
 * @param position - Number of the record of the kernel's log that was read last; undefined for new ones only.
 */
export function programArguments(
  host: CgroupHost,
  { pressureThreshold, pressureLevel, kernelLog }: WatchOptions,
  position: number | undefined,
): string[] {
  const { memory, io, cpu } = pressureThreshold;
  const microseconds = [memory, io, cpu].map((percent) => Math.round((percent / 100) * WINDOW_US));
  const unified = host.hierarchies.find(({ version }) => version === 2);
  return [
    ...v1Root(host, 'memory'),
    ...v1Root(host, 'pids'),
    ...(unified === undefined ? [] : [`unified=${unified.mountPath}`]),
    `kmsg=${kernelLog ? (position ?? -1) + 1 : 'off'}`,
    `pressure=${microseconds.join(',')}`,
    ...(pressureLevel === 'off' ? [] : [`level=${pressureLevel}`]),
  ];
}

function v1Root(host: CgroupHost, controller: ControllerName & ('memory' | 'pids')): string[] {
  const hierarchy = hierarchyOf(host, controller);
  return hierarchy?.version === 1 ? [`${controller}=${hierarchy.mountPath}`] : [];
}
