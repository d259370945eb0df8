import type { Run } from '@teu/proto/cgroup';
import type { OpenFiles } from '../stats/open-files.js';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { isErrno } from '../tree/group-files.js';
import type { LedgerClock } from './boot-clock.js';
import { bootMsOf, momentBetween, momentNow, type Moment } from './moment.js';
import { later, NO_FIGURES, type Figures } from './figures.js';
import { extended, MemoryIntegral, type MemorySample } from './memory-integral.js';
import { NumberFile } from './number-file.js';
import { readFigures } from './read-figures.js';
import { STEP_MS, type Sampled } from './sample-wheel.js';

/** The pause after a look at memory is this part of the time that the run has lasted, within bounds. */
const PAUSE_SHARE = 0.01;
const LONGEST_PAUSE_MS = 1_000;
const HOUR_MS = 3_600_000;

/** What is known of a run at one moment. */
export interface RunState {
  readonly figures: Figures;
  readonly figuresTime: Date;
  readonly sample: MemorySample | undefined;
  /** Whether anything ran in its cgroup, as far as that was known. */
  readonly populated: boolean;
}

/** A run that has not ended, as its row has it. */
export interface StoredRun {
  readonly runId: number;
  readonly run: Run;
  readonly bootId: string;
  /** When it began, clock of its boot; if it is not known, it is what the time of its start comes to. */
  readonly startMs?: number | undefined;
  readonly state: RunState;
}

/** What is known of a run that has only begun. */
export function stateAtStart(run: Run): RunState {
  return { figures: NO_FIGURES, figuresTime: startOf(run), sample: undefined, populated: true };
}

/** Where figures come from. */
export interface Places {
  readonly tree: CgroupTree;
  /** What may be kept open. */
  readonly files: OpenFiles;
  readonly clock: LedgerClock;
}

/** A run that has not ended, and how its figures are kept up to date. */
export class OpenRun implements Sampled {
  readonly runId: number;
  readonly bootId: string;
  /** As the row has it. */
  written: RunState;
  /** Full hour, counted from 1970, that its last mark is of. */
  hour: number;
  run: Run;
  /** Whether anything runs in its cgroup, as far as that is known. */
  populated: boolean;
  readonly #tree: CgroupTree;
  readonly #files: OpenFiles;
  readonly #clock: LedgerClock;
  readonly #memory: MemoryIntegral;
  #memoryFile: NumberFile | undefined;
  #figures: Figures;
  #figuresTime: Date;
  /** The same on the clock of the boot; also when an earlier process has last looked. */
  #figuresMs: number;
  /** When something was last seen to run in its cgroup, by both clocks. */
  #alive: Moment;
  /** Peak of memory at the reading before the last. */
  #earlierPeak: number;

  /** @param seen until when an earlier process of this boot has looked at it */
  constructor({ tree, files, clock }: Places, stored: StoredRun, seen?: Moment) {
    this.#tree = tree;
    this.#files = files;
    this.#clock = clock;
    this.populated = stored.state.populated;
    this.runId = stored.runId;
    this.run = stored.run;
    this.bootId = stored.bootId;
    this.written = stored.state;
    this.#figures = stored.state.figures;
    this.#figuresTime = stored.state.figuresTime;
    this.#earlierPeak = stored.state.figures.memoryPeak;
    this.hour = hourOf(stored.state.figuresTime);
    const startMs = stored.startMs ?? bootMsOf(momentNow(clock), startOf(stored.run));
    this.#alive = { bootMs: startMs, wallMs: startOf(stored.run).getTime() };
    this.#figuresMs = startMs + stored.state.figures.wallUs / 1000;
    const { sample, populated } = stored.state;
    // One in which nothing ran any more was not looked at.
    const wasSeen = seen !== undefined && populated && seen.bootMs > this.#figuresMs;
    this.#memory = new MemoryIntegral(
      startMs,
      wasSeen ? sample && extended(sample, seen.bootMs) : sample,
    );
    if (!wasSeen) return;
    this.#alive = seen;
    this.#figuresMs = seen.bootMs;
    this.#figuresTime = new Date(seen.wallMs);
  }

  /** When it began, boot clock. */
  get startMs(): number {
    return this.#memory.startMs;
  }

  /** When it ended, boot clock, whenever somebody has set the wall clock that the time was told by. */
  endMs(exitTime: Date): number {
    return momentBetween(this.#alive, momentNow(this.#clock), exitTime);
  }

  get id(): string {
    return this.run.containerId;
  }

  /** Looks at the memory in use. Nothing is to be seen any more when the cgroup is gone, or all in it have ended. */
  sample(): number | undefined {
    if (!this.populated) return undefined;
    let bytes: number | undefined;
    try {
      bytes = this.#readMemory();
    } catch (error) {
      if (!isErrno(error, 'EMFILE', 'ENFILE')) throw error;
      return LONGEST_PAUSE_MS;
    }
    if (bytes === undefined) return undefined;
    const now = this.#clock.bootMs();
    this.#memory.add(now, bytes);
    return Math.min(
      Math.max((now - this.#memory.startMs) * PAUSE_SHARE, STEP_MS),
      LONGEST_PAUSE_MS,
    );
  }

  /** Bytes of memory in use now; undefined if the cgroup is gone, the host does not count it, or no file can be opened. */
  memoryNow(): number | undefined {
    try {
      return this.#readMemory();
    } catch (error) {
      if (!isErrno(error, 'EMFILE', 'ENFILE')) throw error;
      return undefined;
    }
  }

  /** Reads the kernel's figures. False if the cgroup is gone; what was read before then stays. */
  read(): boolean {
    const kernel = readFigures(this.#tree, this.id);
    if (kernel === undefined) {
      this.populated = false;
      return false;
    }
    const before = this.#figures;
    this.#earlierPeak = before.memoryPeak;
    this.#figures = later(before, kernel.figures);
    this.#figuresTime = new Date(this.#clock.wallMs());
    this.#figuresMs = this.#clock.bootMs();
    // A run may be told of before its program has joined. pids.peak came with Linux 6.1.
    const everRan = this.#figures.pidsPeak > 0 || before.cpuUs > 0;
    this.populated = kernel.taskCount !== 0 || !everRan;
    if (kernel.taskCount !== undefined && kernel.taskCount > 0) {
      this.#memory.goesOn();
      this.#alive = { bootMs: this.#figuresMs, wallMs: this.#figuresTime.getTime() };
    }
    return true;
  }

  /** When the kernel's figures were last read. */
  get figuresTime(): Date {
    return this.#figuresTime;
  }

  /** The same, boot clock. */
  get figuresMs(): number {
    return this.#figuresMs;
  }

  /** What is known now. */
  state(): RunState {
    const { last } = this.#memory;
    if (last === undefined) return this.#state(this.#figuresMs, 0, undefined);
    // From here on an earlier sample makes no difference.
    const atMs = this.populated ? this.#clock.bootMs() : last.atMs;
    const byteSeconds = this.#memory.now(atMs);
    return this.#state(this.#figuresMs, byteSeconds, { atMs, bytes: last.bytes, byteSeconds });
  }

  /**
   * What is known of the run up to a moment: its end, or when its cgroup was last there.
   *
   * @param endMs boot clock
   * @param rest bytes of memory that are in use after it, if that is known
   */
  stateAt(endMs: number, rest?: number): RunState {
    const { memoryPeak } = this.#figures;
    const byteSeconds = this.#memory.total(endMs, memoryPeak, this.#earlierPeak, rest);
    return this.#state(endMs, byteSeconds, undefined);
  }

  close(): void {
    this.#memoryFile?.close();
    this.#memoryFile = undefined;
  }

  #readMemory(): number | undefined {
    this.#memoryFile ??= new NumberFile(memoryPath(this.#tree, this.id), this.#files);
    return this.#memoryFile.read();
  }

  #state(untilMs: number, memoryByteSeconds: number, sample: MemorySample | undefined): RunState {
    const memoryPeak = this.#figures.memoryPeak || this.#memory.highest;
    const wallUs = Math.round(Math.max(untilMs - this.startMs, 0) * 1000);
    const figures = { ...this.#figures, wallUs, memoryPeak, memoryByteSeconds };
    return { figures, figuresTime: this.#figuresTime, sample, populated: this.populated };
  }
}

/** Full hours since 1970. */
export function hourOf(time: Date): number {
  return Math.floor(time.getTime() / HOUR_MS);
}

/** When a run began. */
export function startOf({ startTime }: Run): Date {
  return startTime ?? new Date(0);
}

function memoryPath(tree: CgroupTree, id: string): string {
  const group = tree.groupOf('memory', id);
  const file = group?.version === 1 ? 'memory.usage_in_bytes' : 'memory.current';
  return `${group?.path ?? ''}/${file}`;
}
