import type { Store } from '@teu/state';
import type { Window } from '../store/usage-filter.js';
import {
  figuresOf,
  isPeak,
  NO_FIGURES,
  SELECT_FIGURES,
  type Figures,
  type FigureName,
} from './figures.js';

/** A run, as far as its use is shared out over time. */
export type Spread = Figures & {
  readonly runId: number;
  /** Milliseconds since 1970. */
  readonly startTime: number;
  readonly endTime: number;
};

/** Figures of a run at one moment. */
interface Mark {
  readonly time: number;
  readonly figures: Figures;
}

/**
 * What a run has used in a span of time. Between two marks its use is taken to be even; peaks are those up to the
 * first mark at or after the end of the span. What is used in spans that follow each other adds up to the whole.
 */
export function shareOf(store: Store, run: Spread, { since, until }: Window): Figures {
  const { startTime, endTime } = run;
  const from = Math.max(startTime, Math.min(since, endTime));
  const to = Math.min(endTime, Math.max(until, startTime));
  const isWhole = from === startTime && to === endTime;
  if (isWhole) return run;
  const before = figuresAt(store, run, from);
  const after = figuresAt(store, run, to);
  return figuresOf((name) =>
    isPeak(name) ? after[name] : Math.max(after[name] - before[name], 0),
  );
}

/** What a run had used up to a moment within it. */
function figuresAt(store: Store, run: Spread, time: number): Figures {
  if (time <= run.startTime) return NO_FIGURES;
  if (time >= run.endTime) return run;
  const before = markBefore(store, run.runId, time) ?? { time: run.startTime, figures: NO_FIGURES };
  const after = markAfter(store, run.runId, time) ?? { time: run.endTime, figures: run };
  const length = after.time - before.time;
  const part = length <= 0 ? 0 : (time - before.time) / length;
  return figuresOf((name) => {
    if (isPeak(name)) return after.figures[name];
    return between(name, before.figures[name], after.figures[name], part);
  });
}

/** Counts stay whole: each is on one side of the moment. */
function between(name: FigureName, before: number, after: number, part: number): number {
  const value = before + (after - before) * part;
  return name === 'memoryByteSeconds' ? value : Math.round(value);
}

type Row = Figures & { time: number };

function markBefore(store: Store, runId: number, time: number): Mark | undefined {
  const row = store
    .prepare<Row>(
      `SELECT time, ${SELECT_FIGURES} FROM usage_marks WHERE run_id = ? AND time <= ?
       ORDER BY hour DESC LIMIT 1`,
    )
    .get(runId, time);
  return row && { time: row.time, figures: row };
}

function markAfter(store: Store, runId: number, time: number): Mark | undefined {
  const row = store
    .prepare<Row>(
      `SELECT time, ${SELECT_FIGURES} FROM usage_marks WHERE run_id = ? AND time >= ?
       ORDER BY hour LIMIT 1`,
    )
    .get(runId, time);
  return row && { time: row.time, figures: row };
}
