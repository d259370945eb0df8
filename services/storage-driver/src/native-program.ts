import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { basename } from 'node:path';
import { teuError } from '@teu/errors';

/** How the kernel refused an operation. `code` is the name of the errno, as in errors of Node. */
export class KernelError extends Error {
  readonly code: string;
  readonly call: string;
  readonly step: string;

  constructor(code: string, call: string, step: string) {
    super(`${call} to ${step}: ${code}`);
    this.code = code;
    this.call = call;
    this.step = step;
  }
}

/** An answer that is waited for. */
interface Pending {
  readonly resolve: (values: number[]) => void;
  readonly reject: (error: unknown) => void;
  readonly timer: NodeJS.Timeout;
}

/** A run of the program, with what was asked of it. */
interface Run {
  readonly child: ChildProcessWithoutNullStreams;
  readonly pending: Map<number, Pending>;
}

/** What the program says on standard error is kept for a message, up to here. */
const MAX_COMPLAINT = 1000;
const CLOSE_TIME_LIMIT_MS = 10_000;

/** What to run for a driver. */
export interface ProgramPlan {
  /** Name of the driver, for messages. */
  readonly driver: string;
  /** Path of the program. */
  readonly binary: string;
  readonly args: readonly string[];
}

/**
 * A program of the native layer that makes system calls for a driver, in lines (native/src/conversation;
 * what can be asked for is in the requests.h of the program). It runs as long as this is open; if it
 * dies, calls in flight fail and the next one starts it again. It ends by itself when this process does,
 * however that happens.
 */
export class NativeProgram {
  readonly #plan: ProgramPlan;
  #run: Run | undefined;
  #lastId = 0;
  #closed = false;

  constructor(plan: ProgramPlan) {
    this.#plan = plan;
  }

  /**
   * Makes a request and resolves with the numbers of the answer.
   *
   * @throws KernelError if the kernel refuses; STORAGE_FAILED if the program dies or does not answer in
   *   time, in which case the request may still be carried out
   */
  request(timeoutMs: number, ...words: readonly (string | number)[]): Promise<number[]> {
    if (this.#closed) return Promise.reject(this.#failed('the driver is being closed'));
    const { child, pending } = (this.#run ??= this.#start());
    const id = ++this.#lastId;
    return new Promise((resolve, reject) => {
      const giveUp = (): void => {
        pending.delete(id);
        reject(this.#failed(`"${words[0] ?? ''}" was not done within ${timeoutMs} ms`));
      };
      pending.set(id, { resolve, reject, timer: setTimeout(giveUp, timeoutMs) });
      child.stdin.write(`${id} ${words.join(' ')}\n`);
    });
  }

  /** Process that carries out the requests now, for tests; undefined if none runs. */
  get pid(): number | undefined {
    return this.#run?.child.pid;
  }

  /** Ends the program. What is in flight fails. One that a disk holds up is not waited for long. */
  async close(): Promise<void> {
    this.#closed = true;
    const run = this.#run;
    if (run === undefined) return;
    const signal = AbortSignal.timeout(CLOSE_TIME_LIMIT_MS);
    const ended = once(run.child, 'close', { signal });
    run.child.stdin.end();
    await ended.catch(() => run.child.unref());
  }

  #start(): Run {
    const { binary, args } = this.#plan;
    const child = spawn(binary, args, {
      env: {},
      cwd: '/',
      stdio: 'pipe',
      // Signals of a terminal are for the driver, which may need the program to end in good order.
      detached: true,
    });
    const run: Run = { child, pending: new Map() };
    let complaint = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      complaint = (complaint + text).slice(0, MAX_COMPLAINT);
    });
    let rest = '';
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) settle(run, line);
    });
    // What could not be written was asked of a program that has ended, which is told below.
    child.stdin.on('error', () => undefined);
    const end = (why: string, cause?: unknown): void => {
      if (this.#run === run) this.#run = undefined;
      for (const { reject, timer } of run.pending.values()) {
        clearTimeout(timer);
        reject(this.#failed(`${basename(binary)} ${why}`, cause));
      }
      run.pending.clear();
    };
    child.on('error', (error) => end('could not be started', error));
    child.on('exit', (code, signal) => {
      end(`ended (${signal ?? `exit status ${code ?? ''}`})`, complaint);
    });
    return run;
  }

  #failed(why: string, cause?: unknown): Error {
    const text = `storage driver ${this.#plan.driver}: ${why}`;
    return teuError('STORAGE_FAILED', text, { cause });
  }
}

function settle(run: Run, line: string): void {
  const [id, outcome, ...rest] = line.split(' ');
  const pending = run.pending.get(Number(id));
  // Nobody waits any longer.
  if (pending === undefined) return;
  run.pending.delete(Number(id));
  clearTimeout(pending.timer);
  if (outcome === 'ok') {
    pending.resolve(rest.map(Number));
  } else {
    const [code = 'EIO', call = '', ...step] = rest;
    pending.reject(new KernelError(code, call, step.join(' ')));
  }
}
