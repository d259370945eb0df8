import { setTimeout as delay } from 'node:timers/promises';
import type { Duration } from '@teu/proto/google';
import type { StartTrace } from '@teu/proto/engine';
import type { Contender } from './contender.js';
import { privateBytes, pssBytes } from './memory.js';
import { median, quantile, table } from '../harness/statistics.js';

/** How long everybody is left alone before the memory of services at rest is read. */
const restMs = 20_000;

const ms = (value: number) => value.toFixed(1);
const mebibytes = (bytes: number) => (bytes / 1_048_576).toFixed(1);
const durationMs = (duration: Duration | undefined) =>
  (duration?.seconds ?? 0) * 1000 + (duration?.nanos ?? 0) / 1e6;

/** Run to exit of `true`: medians, 90th and 99th percentiles, and how many times TEU's time it is. */
export function timeReport(
  contenders: readonly Contender[],
  samples: ReadonlyMap<string, readonly number[]>,
): string {
  const own = median(samples.get('teu') ?? []);
  const rows = contenders.map(({ name, how }) => {
    const times = samples.get(name) ?? [];
    const ratio = Number.isNaN(own) ? '' : `${(median(times) / own).toFixed(2)}x`;
    return [
      name,
      ms(median(times)),
      ms(quantile(times, 0.9)),
      ms(quantile(times, 0.99)),
      ratio,
      how,
    ];
  });
  return table([['run to exit of true, ms', 'p50', 'p90', 'p99', 'of teu', 'what'], ...rows]);
}

/** Where the time of a start goes, by phase. */
export function traceReport(traces: readonly StartTrace[]): string {
  const phases = new Map<string, { offset: number[]; elapsed: number[] }>();
  for (const trace of traces) {
    for (const phase of trace.phases) {
      const entry = phases.get(phase.name) ?? { offset: [], elapsed: [] };
      entry.offset.push(durationMs(phase.offsetDuration));
      entry.elapsed.push(durationMs(phase.elapsedDuration));
      phases.set(phase.name, entry);
    }
  }
  const total = median(traces.map((trace) => durationMs(trace.totalDuration)));
  const rows = [...phases]
    .sort(([, left], [, right]) => median(left.offset) - median(right.offset))
    .map(([name, entry]) => [
      name,
      median(entry.offset).toFixed(2),
      median(entry.elapsed).toFixed(2),
    ]);
  return table([
    ['phase of a start, ms (medians)', 'begins', 'takes'],
    ...rows,
    ['whole start', '0.00', total.toFixed(2)],
  ]);
}

/** Memory: services at rest (proportional), and what one container's supervisor has to itself. */
export async function memoryReport(contenders: readonly Contender[]): Promise<string> {
  const rows: string[][] = [];
  await delay(restMs);
  for (const contender of contenders) {
    if (contender.idlePids === undefined) continue;
    const idle = contender.idlePids().reduce((sum, pid) => sum + pssBytes(pid), 0);
    const supervisors = (await contender.supervisorPids?.()) ?? [];
    const each = median(supervisors.map(privateBytes));
    rows.push([contender.name, mebibytes(idle), supervisors.length === 0 ? '-' : mebibytes(each)]);
  }
  return table([
    ['memory, MiB', 'services after 20 s of rest (PSS)', 'supervisor, private'],
    ...rows,
  ]);
}
