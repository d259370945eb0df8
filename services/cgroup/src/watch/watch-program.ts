import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { nativeBinary } from '@teu/config';
import type { Logger } from '@teu/log';
import { parseTold, type Told } from './told.js';

/** What the program is run for. */
export interface WatchProgramOptions {
  readonly log: Logger;
  /** Arguments (native/src/watch/options.h), made anew for each start. */
  readonly args: () => string[];
  /** Takes what it says by itself, in order. */
  readonly onTold: (told: Told) => void;
  /** Called when it runs again after it had ended: nothing is watched then. */
  readonly onRestart: () => void;
}

interface Run {
  readonly child: ChildProcessWithoutNullStreams;
  readonly pending: Map<number, (values: number[] | undefined) => void>;
  readonly startedAt: number;
}

const FIRST_PAUSE_MS = 50;
const LONGEST_PAUSE_MS = 30_000;
/** One that ran this long had no reason to end in its start. */
const STEADY_MS = 10_000;
const CLOSE_TIME_LIMIT_MS = 2_000;
/** What it says on standard error is kept for the log, up to here. */
const MAX_COMPLAINT = 1000;

/**
 * Keeps teu-cgroup-watch running, and talks with it in lines. If it dies it is started again, later each time. It ends
 * by itself when this process does, however that happens.
 */
export class WatchProgram {
  readonly #options: WatchProgramOptions;
  #run: Run | undefined;
  #lastId = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #timer: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: WatchProgramOptions) {
    this.#options = options;
    this.#run = this.#start();
  }

  /** Process that runs now; undefined if none does. */
  get pid(): number | undefined {
    return this.#run?.child.pid;
  }

  /**
   * Asks for something and resolves with the numbers of the answer; with undefined if it was refused or there will be
   * no answer.
   */
  request(...words: readonly (string | number)[]): Promise<number[] | undefined> {
    const run = this.#run;
    if (run === undefined) return Promise.resolve(undefined);
    const id = ++this.#lastId;
    return new Promise((resolve) => {
      run.pending.set(id, resolve);
      run.child.stdin.write(`${id} ${words.join(' ')}\n`);
    });
  }

  /** Ends it. */
  async close(): Promise<void> {
    this.#closed = true;
    clearTimeout(this.#timer);
    const child = this.#run?.child;
    if (child === undefined) return;
    const ended = once(child, 'close', { signal: AbortSignal.timeout(CLOSE_TIME_LIMIT_MS) });
    child.stdin.end();
    await ended.catch(() => child.kill('SIGKILL'));
  }

  #start(): Run {
    const child = spawn(nativeBinary('teu-cgroup-watch'), this.#options.args(), {
      env: {},
      cwd: '/',
      stdio: 'pipe',
      // Signals of a terminal are for the service.
      detached: true,
    });
    const run: Run = { child, pending: new Map(), startedAt: performance.now() };
    // First of all: without descriptors there is a child without pipes, and what follows throws.
    child.on('error', (error) => this.#ended(run, error));
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(0, MAX_COMPLAINT);
    });
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) this.#take(run, line);
    });
    // What could not be written was asked of a program that has ended, which is told below.
    child.stdin.on('error', () => undefined);
    child.on('close', (code, signal) => this.#ended(run, { code, signal, complaint }));
    return run;
  }

  #take(run: Run, line: string): void {
    const [id, ...words] = line.split(' ');
    if (id === '0') {
      const told = parseTold(words);
      if (told !== undefined) this.#options.onTold(told);
      return;
    }
    const resolve = run.pending.get(Number(id));
    run.pending.delete(Number(id));
    resolve?.(words[0] === 'ok' ? words.slice(1).map(Number) : undefined);
  }

  #ended(run: Run, cause: unknown): void {
    if (this.#run !== run) return;
    this.#run = undefined;
    for (const resolve of run.pending.values()) resolve(undefined);
    if (this.#closed) return;
    const isSteady = performance.now() - run.startedAt > STEADY_MS;
    this.#startLater(isSteady ? FIRST_PAUSE_MS : this.#pauseMs, cause);
  }

  #startLater(pauseMs: number, cause: unknown): void {
    this.#pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    this.#options.log.warn(
      { retry_ms: pauseMs, err: cause },
      'the watcher of cgroups has ended; starting it again',
    );
    this.#timer = setTimeout(() => {
      try {
        this.#run = this.#start();
      } catch (error) {
        this.#startLater(this.#pauseMs, error);
        return;
      }
      this.#options.onRestart();
    }, pauseMs);
    // It must not keep a process alive that wants to end.
    this.#timer.unref();
  }
}
