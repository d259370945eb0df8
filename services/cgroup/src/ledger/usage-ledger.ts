import { failpoint } from '@teu/failpoint';
import type { Logger } from '@teu/log';
import type { Run, RunEnd } from '@teu/proto/cgroup';
import type { OomKill } from '@teu/proto/type';
import { bootId, type Store } from '@teu/state';
import {
  findRun,
  insertRun,
  loadOpenRuns,
  readBeat,
  writeBeat,
  writeDescription,
  writeDetails,
  writeEnding,
  writeMark,
  writeState,
  type Ending,
} from '../store/usage-table.js';
import { WriteBatch } from './batch.js';
import { differ } from './figures.js';
import { extended } from './memory-integral.js';
import { bootMsOf, momentNow } from './moment.js';
import { hourOf, OpenRun, startOf, stateAtStart, type Places, type RunState } from './open-run.js';
import { SampleWheel } from './sample-wheel.js';

/** What the ledger works with. */
export interface LedgerParts extends Places {
  readonly store: Store;
  readonly log: Logger;
  /** What the kernel has killed in a cgroup for want of memory, newest first. */
  readonly oomKills: (id: string) => readonly OomKill[];
}

/** How figures are brought up to date. */
export interface RefreshOptions {
  /** Whether to wait for the disk. */
  readonly durable: boolean;
  /** Whether to write also what has not changed, so that a query finds it. */
  readonly all: boolean;
}

/** How the engine's word about the end of a run is missing. */
const UNTOLD = 'nobody has told how it ended';
/** Runs that are read before other work gets its turn. */
const READ_AT_ONCE = 25;

/**
 * The usage ledger: keeps the figures of all runs that have not ended, and makes a final record of each that has.
 * What is on disk is at most one checkpoint old; a final record is on disk before its cgroup goes.
 */
export class UsageLedger {
  readonly #parts: LedgerParts;
  /** By the id of the container. */
  readonly #open = new Map<string, OpenRun>();
  readonly #wheel: SampleWheel;
  readonly #batch: WriteBatch;
  readonly #listeners = new Set<() => void>();
  #refreshing: Promise<void> = Promise.resolve();
  /** Passes that have not begun, by what they are to do. */
  readonly #queued = new Map<string, Promise<void>>();
  #isFailing = false;

  constructor(parts: LedgerParts) {
    this.#parts = parts;
    this.#batch = new WriteBatch(parts.store);
    this.#wheel = new SampleWheel((error) =>
      parts.log.error({ err: error }, 'the memory of a container cannot be measured'),
    );
    // What is written no differently was as it is written until the last checkpoint.
    const beat = readBeat(parts.store);
    const seen = { bootMs: beat.atMs, wallMs: beat.time.getTime() };
    const isThisBoot = (id: string): boolean => id === bootId() && id === beat.bootId;
    for (const stored of loadOpenRuns(parts.store)) {
      this.#watch(new OpenRun(parts, stored, isThisBoot(stored.bootId) ? seen : undefined));
    }
  }

  /** Number of runs that have not ended. */
  get openCount(): number {
    return this.#open.size;
  }

  /** Name of a container that runs; empty if it is not known. */
  nameOf(containerId: string): string {
    return this.#open.get(containerId)?.run.name ?? '';
  }

  /** The run of a container, from when it was told of until its end is on record. */
  runOf(containerId: string): Run | undefined {
    return this.#open.get(containerId)?.run;
  }

  /** Calls back after each commit of final records. Gives the way to stop that. */
  onFinal(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes note of a run that has begun. What is final already stays as it is. */
  record(run: Run): void {
    const { store } = this.#parts;
    const known = findRun(store, run);
    if (known?.isFinal) return;
    const before = this.#open.get(run.containerId);
    if (before !== undefined && before.runId !== known?.runId) this.#endForgotten(before);
    const startMs = this.#startMsOf(run);
    const runId = store.transaction(
      () => {
        if (known === undefined) return insertRun(store, run, startMs);
        if (before === undefined || !sameDescription(before.run, run)) {
          writeDescription(store, known.runId, run);
        }
        writeDetails(store, known.runId, run, []);
        return known.runId;
      },
      // The end tells all of it again.
      { durable: false },
    );
    const open = this.#open.get(run.containerId);
    if (open !== undefined) {
      open.run = run;
      return;
    }
    this.#watch(
      new OpenRun(this.#parts, {
        ...{ runId, run, bootId: bootId(), startMs, state: stateAtStart(run) },
      }),
    );
  }

  /**
   * Makes the record of a run final, durably. Call it while its cgroup is still there, when nothing runs in it.
   *
   * @param told the run with its end; if absent, one that is open is ended as far as it is known
   * @throws STORAGE_FULL, STORAGE_FAILED; then nothing was changed
   */
  async finish(containerId: string, told: Run | undefined): Promise<void> {
    const { store, oomKills } = this.#parts;
    const open = this.#open.get(containerId);
    const run = told ?? (open && { ...open.run, end: this.#unknownEnd() });
    if (run === undefined) return;
    const isSame = open !== undefined && sameRun(open.run, run);
    const known = isSame ? { runId: open.runId, isFinal: false } : findRun(store, run);
    if (known?.isFinal) return;
    if (open !== undefined && startOf(open.run) < startOf(run)) this.#endForgotten(open);
    const measured = isSame ? open : this.#begin(run, known?.runId);
    try {
      const ending = this.#endingOf(measured, run, oomKills(containerId));
      failpoint('cgroup.usage.after-figures');
      await this.#batch.add(() => {
        // Another call may have come at the same time.
        const row = findRun(store, run);
        if (row?.isFinal) return;
        const runId = row?.runId ?? insertRun(store, run, measured.startMs);
        if (!sameDescription(measured.run, run)) writeDescription(store, runId, run);
        writeEnding(store, runId, ending);
        store.afterCommit(this.#announce);
      });
    } finally {
      // One that stays open opens it again.
      measured.close();
    }
    failpoint('cgroup.usage.after-record');
    const rest = this.#open.get(containerId);
    if (rest !== undefined && sameRun(rest.run, run)) this.#forget(rest);
  }

  /**
   * Reads all figures and writes those that have changed. Never fails: what cannot be written now is written at the next
   * time, and the log says so once. Who asks for the same before it has begun shares it.
   */
  refresh(options: RefreshOptions): Promise<void> {
    const key = JSON.stringify([options.durable, options.all]);
    const queued = this.#queued.get(key);
    if (queued !== undefined) return queued;
    this.#refreshing = this.#refreshing.then(async () => {
      this.#queued.delete(key);
      try {
        await this.#refresh(options);
        this.#isFailing = false;
      } catch (error) {
        const text = 'the figures of containers that run cannot be written; trying again';
        if (!this.#isFailing) this.#parts.log.error({ err: error }, text);
        this.#isFailing = true;
      }
    });
    this.#queued.set(key, this.#refreshing);
    return this.#refreshing;
  }

  /** Ends runs of earlier boots: no engine has told of their end as long as this process lasts. */
  endForgotten(): void {
    for (const open of [...this.#open.values()]) {
      if (open.bootId !== bootId()) this.#endForgotten(open);
    }
  }

  close(): void {
    this.#wheel.close();
    for (const open of this.#open.values()) open.close();
    this.#open.clear();
  }

  readonly #announce = (): void => {
    for (const listener of this.#listeners) listener();
  };

  async #refresh({ durable, all }: RefreshOptions): Promise<void> {
    const { store } = this.#parts;
    const runs = [...this.#open.values()].filter((open) => open.bootId === bootId());
    const problems: unknown[] = [];
    for (const [index, open] of runs.entries()) {
      if (index % READ_AT_ONCE === READ_AT_ONCE - 1) await new Promise(setImmediate);
      try {
        this.#read(open);
      } catch (error) {
        // The others have nothing to do with it.
        problems.push(error);
      }
    }
    const current = runs.filter((open) => this.#open.get(open.id) === open);
    if (current.length === 0) return;
    const states = current.map((open) => [open, open.state()] as const);
    const { bootMs, wallMs } = momentNow(this.#parts.clock);
    const time = new Date(wallMs);
    const hour = hourOf(time);
    store.transaction(
      () => {
        for (const [open, state] of states) {
          if (all || hasChanged(open.written, state)) writeState(store, open.runId, state);
          if (open.hour !== hour) writeMark(store, open.runId, hour, state);
        }
        writeBeat(store, { time, atMs: bootMs, bootId: bootId() });
      },
      { durable },
    );
    for (const [open, state] of states) {
      open.written = state;
      open.hour = hour;
    }
    if (problems.length > 0) throw new AggregateError(problems, 'not every cgroup can be read');
  }

  #read(open: OpenRun): void {
    const wasPopulated = open.populated;
    open.read();
    if (open.populated && !wasPopulated) this.#wheel.plan(open, 0);
  }

  #watch(open: OpenRun): void {
    this.#open.set(open.id, open);
    if (open.bootId !== bootId()) return;
    const next = open.sample();
    if (next !== undefined) this.#wheel.plan(open, next);
  }

  #forget(open: OpenRun): void {
    this.#wheel.remove(open);
    this.#open.delete(open.id);
    open.close();
  }

  /** A run that was not told of before its end. */
  #begin(run: Run, runId = 0): OpenRun {
    const startMs = this.#startMsOf(run);
    const stored = { runId, run, bootId: bootId(), startMs, state: stateAtStart(run) };
    return new OpenRun(this.#parts, stored);
  }

  #startMsOf(run: Run): number {
    return bootMsOf(momentNow(this.#parts.clock), startOf(run));
  }

  #unknownEnd(): RunEnd {
    const exitTime = new Date(this.#parts.clock.wallMs());
    return { exitTime, exitCode: 255, signal: 0, error: UNTOLD };
  }

  /** The engine has begun another run in the same container without a word about the end of this one. */
  #endForgotten(open: OpenRun): void {
    const run = { ...open.run, end: this.#unknownEnd() };
    const state = this.#lastState(open);
    const { figuresTime: endTime } = state;
    const { store } = this.#parts;
    // Durable: a number that somebody has heard of is never given again.
    store.transaction(() => {
      writeEnding(store, open.runId, { run, endTime, state, incomplete: true, oomKills: [] });
      store.afterCommit(this.#announce);
    });
    this.#forget(open);
  }

  #endingOf(measured: OpenRun, run: Run, oomKills: readonly OomKill[]): Ending {
    const end = run.end ?? this.#unknownEnd();
    const exitTime = end.exitTime ?? new Date(this.#parts.clock.wallMs());
    const oldestFirst = [...oomKills].reverse();
    // Before it is read again, by when the clock may be another than the time was told by.
    const endMs = measured.endMs(exitTime);
    if (measured.bootId === bootId() && measured.read()) {
      const state = measured.stateAt(endMs, measured.memoryNow());
      return { run, endTime: exitTime, state, incomplete: false, oomKills: oldestFirst };
    }
    const last = this.#lastState(measured);
    // When the end is not known either, the run counts as long as it was seen.
    const isKnown = end.error === '';
    const endTime = isKnown ? exitTime : last.figuresTime;
    const state = isKnown ? lasting(measured, last, exitTime) : last;
    return { run, endTime, state, incomplete: true, oomKills: oldestFirst };
  }

  /** The last that is known of a run whose cgroup is gone. */
  #lastState(open: OpenRun): RunState {
    if (open.bootId === bootId()) return open.stateAt(open.figuresMs);
    const { figures, sample, populated } = open.written;
    const beat = readBeat(this.#parts.store);
    if (!populated || beat.bootId !== open.bootId) return open.written;
    // It was as it is written until the last checkpoint.
    const last = sample && extended(sample, beat.atMs);
    const wallUs = Math.max(figures.wallUs, Math.round((beat.atMs - open.startMs) * 1000));
    const memoryByteSeconds = last?.byteSeconds ?? figures.memoryByteSeconds;
    return {
      ...{ figures: { ...figures, wallUs, memoryByteSeconds }, figuresTime: beat.time },
      ...{ sample: last, populated },
    };
  }
}

/** The last that is known of a run, but for how long it has lasted: when it ended is known. */
function lasting(open: OpenRun, last: RunState, exitTime: Date): RunState {
  const sinceMs =
    open.bootId === bootId()
      ? open.endMs(exitTime) - open.figuresMs
      : Math.max(exitTime.getTime() - last.figuresTime.getTime(), 0);
  const wallUs = Math.max(last.figures.wallUs + Math.round(sinceMs * 1000), 0);
  return { ...last, figures: { ...last.figures, wallUs } };
}

function hasChanged(before: RunState, now: RunState): boolean {
  const isOther = before.sample?.bytes !== now.sample?.bytes || before.populated !== now.populated;
  return isOther || differ(before.figures, now.figures);
}

function sameRun(one: Run, other: Run): boolean {
  return startOf(one).getTime() === startOf(other).getTime();
}

function sameDescription(one: Run, other: Run): boolean {
  const of = ({ name, image, imageId, group, labels }: Run) =>
    JSON.stringify([name, image, imageId, group, Object.entries(labels).sort()]);
  return of(one) === of(other);
}
