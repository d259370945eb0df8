import { findingKindToJSON, type CheckSummary, type Finding } from '@teu/proto/storage';
import { storedSize } from '../../output/for-people.js';
import { visible } from '../../output/visible.js';

/** "missing file" for FINDING_KIND_MISSING_FILE. */
export function enumWords(name: string, prefix: string): string {
  return name.replace(prefix, '').toLowerCase().replaceAll('_', ' ');
}

/** A finding on one line: what kind, in which snapshot, where in it, and the details. */
export function findingLine({ kind, key, path, detail }: Finding): string {
  const what = enumWords(findingKindToJSON(kind), 'FINDING_KIND_');
  const where = [key, path].filter((part) => part !== '').join(' ');
  return visible(`${what}: ${where}${detail === '' ? '' : ` (${detail})`}`);
}

const counted = (count: number, one: string) => `${String(count)} ${count === 1 ? one : `${one}s`}`;

const remaining = (count: number) =>
  count === 0 ? 'none of them remains' : `${String(count)} of them remain${count === 1 ? 's' : ''}`;

/** What was gone through, and how much of it is wrong. */
export function summaryLine(summary: CheckSummary, isRepair: boolean): string {
  const looked = [
    counted(summary.snapshotCount, 'snapshot'),
    counted(summary.fileCount, 'file'),
    ...(summary.readBytes > 0 ? [`${storedSize(summary.readBytes)} of data`] : []),
  ].join(', ');
  const found =
    summary.findingCount === 0 ? 'nothing is wrong' : counted(summary.findingCount, 'finding');
  const left = isRepair && summary.findingCount > 0 ? `, ${remaining(summary.remainingCount)}` : '';
  const unjudged =
    summary.unjudgedCount > 0
      ? `; ${counted(summary.unjudgedCount, 'snapshot')} could not be judged`
      : '';
  return `looked at ${looked}: ${found}${left}${unjudged}`;
}
