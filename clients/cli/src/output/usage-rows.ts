import { Usage, type UsageRecord, type UsageSummary } from '@teu/proto/cgroup';
import { shortId, shorten, timeAgo } from './for-people.js';
import { figureCells, figureNames, figureTitles, figureValues } from './usage-figures.js';

const imageWidth = 28;

/** Titles of a table of runs. */
export const recordTitles = ['CONTAINER', 'NAME', 'IMAGE', 'STARTED', 'EXIT', ...figureTitles];

/** A run in a table. */
export function recordCells(record: UsageRecord, now: Date): string[] {
  const { run, usage } = record;
  return [
    shortId(run?.containerId ?? ''),
    run?.name ?? '',
    shorten(shownImage(run?.image ?? ''), imageWidth),
    timeAgo(run?.startTime, now),
    exitOf(record),
    ...figureCells(usage ?? Usage.create()),
  ];
}

/** How a run ended: its exit code, "-" while it runs, with "?" if its figures are those of a checkpoint. */
function exitOf({ run, sequence, incomplete }: UsageRecord): string {
  if (sequence === 0) return '-';
  return `${String(run?.end?.exitCode ?? 255)}${incomplete ? '?' : ''}`;
}

function shownImage(image: string): string {
  return image.startsWith('sha256:') ? shortId(image) : image;
}

/** Names of the columns of runs in CSV. */
export const recordNames = [
  ...['sequence', 'container_id', 'name', 'image', 'image_id', 'group', 'start_time', 'end_time'],
  ...['exit_code', 'incomplete', ...figureNames],
];

/** A run in CSV. */
export function recordValues({ sequence, run, usage, incomplete }: UsageRecord): string[] {
  const { containerId = '', name = '', image = '', imageId = '', group = '' } = run ?? {};
  const end = run?.end;
  return [
    ...[String(sequence), containerId, name, image, imageId, group],
    ...[run?.startTime?.toISOString() ?? '', end?.exitTime?.toISOString() ?? ''],
    ...[end === undefined ? '' : String(end.exitCode), String(incomplete)],
    ...figureValues(usage ?? Usage.create()),
  ];
}

/** Titles of a table of sums. @param by what they are added up by */
export function summaryTitles(by: string): string[] {
  return [by.toUpperCase(), 'RUNS', ...figureTitles];
}

/** A sum in a table. */
export function summaryCells({ key, name, usage, runningCount }: UsageSummary): string[] {
  const runs = String(usage?.runCount ?? 0);
  return [
    name || shownImage(key) || '<none>',
    runningCount === 0 ? runs : `${runs} (${String(runningCount)} running)`,
    ...figureCells(usage ?? Usage.create()),
  ];
}

/** Names of the columns of sums in CSV. */
export const summaryNames = ['key', 'name', 'runs', 'running', 'incomplete', ...figureNames];

/** A sum in CSV. */
export function summaryValues(summary: UsageSummary): string[] {
  const { key, name, usage, runningCount, incompleteCount } = summary;
  const counts = [usage?.runCount ?? 0, runningCount, incompleteCount].map(String);
  return [key, name, ...counts, ...figureValues(usage ?? Usage.create())];
}
