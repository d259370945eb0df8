import { CONFORMANCE_CASES } from './cases/index.js';
import type { ConformanceCase } from './conformance-case.js';
import { missingTrait, runCase, type CaseTarget } from './run-case.js';

/** How a case went. */
export type CaseResult = { readonly name: string } & (
  | { readonly outcome: 'ok'; readonly ms: number }
  | { readonly outcome: 'failed'; readonly ms: number; readonly reason: string }
  /** The reason is what the driver does not declare. */
  | { readonly outcome: 'not applicable'; readonly reason: string }
);

/** Runs cases one after the other, and tells of each when it is done. The signal ends it after one. */
export async function* runConformance(
  target: CaseTarget,
  cases: readonly ConformanceCase[] = CONFORMANCE_CASES,
): AsyncGenerator<CaseResult> {
  for (const conformanceCase of cases) {
    if (target.signal?.aborted === true) return;
    const { name } = conformanceCase;
    const missing = missingTrait(conformanceCase, target.traits);
    if (missing !== undefined) {
      yield { name, outcome: 'not applicable', reason: missing };
      continue;
    }
    const begin = performance.now();
    const ms = (): number => Math.round(performance.now() - begin);
    try {
      await runCase(target, conformanceCase);
      yield { name, outcome: 'ok', ms: ms() };
    } catch (error) {
      yield { name, outcome: 'failed', ms: ms(), reason: reasonOf(error) };
    }
  }
}

const REASON_LENGTH_MAX = 2000;

/** What went wrong, without where in this program. */
function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  return text.length > REASON_LENGTH_MAX ? `${text.slice(0, REASON_LENGTH_MAX)}…` : text;
}
