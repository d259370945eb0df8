import { median, table } from '../harness/statistics.js';
import type { ImageContender, Operation } from './contender.js';
import type { Sample } from './measure.js';

const OPERATIONS: readonly Operation[] = [
  ...(['load plain', 'load gzip', 'load zstd'] as const),
  ...(['pull', 'pull again', 'push', 'save'] as const),
];

const seconds = (ms: number): string => (Number.isNaN(ms) ? '-' : (ms / 1000).toFixed(2));

/**
 * Medians of each operation, until the answer and until all is on the disk; and the second as a multiple of TEU's, or,
 * where there is a plain tar, of that.
 */
export function timeReport(
  contenders: readonly ImageContender[],
  samples: readonly Sample[],
): string {
  return OPERATIONS.filter((operation) => samples.some((sample) => sample.operation === operation))
    .map((operation) => {
      const of = (name: string, value: (sample: Sample) => number): number =>
        median(
          samples
            .filter((sample) => sample.operation === operation && sample.contender === name)
            .map(value),
        );
      const onDisk = (name: string) => of(name, ({ answerMs, syncMs }) => answerMs + syncMs);
      const base = Number.isNaN(onDisk('tar')) ? 'teu' : 'tar';
      const rows = contenders
        .filter(({ name }) => !Number.isNaN(onDisk(name)))
        .map(({ name, isDurable }) => [
          name,
          seconds(of(name, ({ answerMs }) => answerMs)),
          seconds(onDisk(name)),
          `${(onDisk(name) / onDisk(base)).toFixed(2)}x`,
          (of(name, ({ peakBytes }) => peakBytes) / 1e6).toFixed(0),
          isDurable ? 'yes' : 'no',
        ]);
      return table([
        [`${operation}, s (medians)`, 'answer', 'on disk', `of ${base}`, 'peak MB', 'durable'],
        ...rows,
      ]);
    })
    .join('\n\n');
}
