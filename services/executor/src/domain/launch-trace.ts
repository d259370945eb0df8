import type { LaunchPhases } from '@teu/native';
import type { LaunchTrace } from '@teu/proto/executor';

const NANOS_PER_SECOND = 1_000_000_000n;

/** The order in which the phases of a launch end. */
const PHASES: readonly (keyof LaunchPhases)[] = [
  'init',
  'plan',
  'clone',
  'rootfs',
  'joined',
  'mounts',
  'pivot',
  'masks',
  'seccomp',
  'exec',
];

/** Times at this service, of the clock that the supervisor uses too (CLOCK_MONOTONIC, nanoseconds). */
export interface ServiceTimes {
  /** The request was there. */
  begun: bigint;
  /** The plan and the directory were made. */
  planned: bigint;
  /** The supervisor ran. */
  spawned: bigint;
  /** Its answer was there. */
  answered: bigint;
}

/** Durations of a launch's phases: `prepare` and `spawn` here, those of the supervisor, and `report` back here. */
export function launchTrace(times: ServiceTimes, phases: LaunchPhases): LaunchTrace {
  const ends: [string, bigint][] = [
    ['prepare', times.planned],
    ['spawn', times.spawned],
    ...PHASES.map((name): [string, bigint] => [name, phases[name]]),
    ['report', times.answered],
  ];
  let before = times.begun;
  const trace = ends
    .filter(([, end]) => end !== 0n)
    .map(([name, end]) => {
      // The supervisor begins while this service still returns from spawning it.
      const elapsed = end > before ? end - before : 0n;
      before = end > before ? end : before;
      return { name, elapsedDuration: toDuration(elapsed) };
    });
  return { phases: trace };
}

function toDuration(nanos: bigint) {
  return { seconds: Number(nanos / NANOS_PER_SECOND), nanos: Number(nanos % NANOS_PER_SECOND) };
}
