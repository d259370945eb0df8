import type { CaseResult } from '../run-conformance.js';

/** How many of each there were. */
export interface Counts {
  readonly ok: number;
  readonly failed: number;
  readonly notApplicable: number;
}

/** Counts results by outcome. */
export function countResults(results: readonly CaseResult[]): Counts {
  const count = (wanted: CaseResult['outcome']): number =>
    results.filter(({ outcome }) => outcome === wanted).length;
  return { ok: count('ok'), failed: count('failed'), notApplicable: count('not applicable') };
}

const LABEL_WIDTH = 8;

/** One line per result, and the reason of a failure below it. */
export function formatResult(result: CaseResult): string {
  if (result.outcome === 'not applicable') {
    return `${'-'.padEnd(LABEL_WIDTH)}${result.name}: not applicable: ${result.reason}\n`;
  }
  const label = result.outcome === 'ok' ? 'ok' : 'FAILED';
  const line = `${label.padEnd(LABEL_WIDTH)}${result.name} (${result.ms} ms)\n`;
  if (result.outcome === 'ok') return line;
  const indent = ' '.repeat(LABEL_WIDTH);
  return `${line}${indent}${result.reason.trimEnd().replaceAll('\n', `\n${indent}`)}\n`;
}

/** The last line. */
export function formatCounts({ ok, failed, notApplicable }: Counts): string {
  return `${ok} ok, ${failed} failed, ${notApplicable} not applicable\n`;
}
