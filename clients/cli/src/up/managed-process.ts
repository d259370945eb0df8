import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync } from 'node:fs';
import { clock } from '@teu/ids';
import type { Logger } from '@teu/log';
import { logPath, openLog } from './log-file.js';
import { identityOf, signalProcess, type ProcessIdentity } from './process-identity.js';
import { stopProcess } from './stop-process.js';
import { waitUntil } from './probe.js';
import type { ServiceRecord, ServiceState } from './up-record.js';

/** A program to keep running. */
export interface ManagedProgram {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly address: string;
  readonly version: string;
  readonly dataDir: string;
  /** An end for one that hangs; one that ends is noticed at once. */
  readonly startTimeoutMs: number;
  /** Whether it is ready to be used. */
  readonly probe: () => Promise<boolean>;
}

/** What the keeper of a process is told. */
export interface ManagedEvents {
  /** The state changed; the record must be written. */
  changed(): void;
}

const firstBackOffMs = 100;
const longestBackOffMs = 10_000;
/** One that served so long begins again with the shortest back-off. */
const stableAfterMs = 10_000;
/** Often enough for one that hangs; one that ends is noticed at once. */
const healthEveryMs = 30_000;
const failuresUntilRestart = 3;
/** Time to end in for one that does not do its work. */
const stopUnreadyMs = 3000;

/** A child process that is started again when it ends, more slowly each time. */
export class ManagedProcess {
  readonly name: string;
  readonly #program: ManagedProgram;
  readonly #events: ManagedEvents;
  readonly #log: Logger;
  readonly #stopped = new AbortController();
  #state: ServiceState = 'starting';
  #child: ChildProcess | undefined;
  #identity: ProcessIdentity | undefined;
  #restarts = 0;
  #backOffMs = firstBackOffMs;
  #servingSince = 0;
  #healthTimer: NodeJS.Timeout | undefined;
  #restartTimer: NodeJS.Timeout | undefined;

  constructor(program: ManagedProgram, events: ManagedEvents, log: Logger) {
    this.name = program.name;
    this.#program = program;
    this.#events = events;
    this.#log = log.child({ child: program.name });
  }

  /** What up.json says of it. */
  record(): ServiceRecord {
    const { name, address, version, dataDir } = this.#program;
    return {
      name,
      address,
      version,
      log: logPath(dataDir, name),
      state: this.#state,
      restarts: this.#restarts,
      ...(this.#identity === undefined ? {} : { process: this.#identity }),
    };
  }

  /** Starts it. Resolves with whether it became ready. */
  async start(): Promise<boolean> {
    this.#spawn();
    const child = this.#child;
    const ready = await waitUntil(
      () => this.#program.probe(),
      this.#program.startTimeoutMs,
      AbortSignal.any([this.#stopped.signal, endOf(child)]),
    );
    if (ready && this.#child === child && child !== undefined) this.#nowServing();
    return ready;
  }

  /** Asks it to end, kills it after the grace, and does not start it again. */
  async stop(graceMs: number): Promise<void> {
    this.#stopped.abort();
    clearTimeout(this.#restartTimer);
    clearInterval(this.#healthTimer);
    this.#enter('stopping');
    if (this.#identity !== undefined) await stopProcess(this.#identity, graceMs);
  }

  #spawn(): void {
    const { program, args, env, dataDir, name } = this.#program;
    const log = openLog(dataDir, name);
    try {
      // A session of its own: what a terminal sends to `teu up` is not for the services.
      const child = spawn(program, args, {
        cwd: '/',
        env,
        detached: true,
        stdio: ['ignore', log, log],
      });
      this.#child = child;
      child.once('error', (error) => {
        this.#log.error({ err: error }, 'could not be started');
        this.#ended(child, 'could not be started');
      });
      child.once('exit', (code, signal) => {
        this.#ended(child, signal ?? `exit code ${String(code)}`);
      });
      this.#identity = child.pid === undefined ? undefined : identityOf(child.pid);
      this.#enter(this.#restarts === 0 ? 'starting' : 'restarting');
    } finally {
      closeSync(log);
    }
  }

  #nowServing(): void {
    this.#servingSince = clock.monotonicMs();
    this.#enter('serving');
    this.#log.info({ pid: this.#identity?.pid }, 'serving');
    clearInterval(this.#healthTimer);
    let failures = 0;
    this.#healthTimer = setInterval(() => {
      void this.#program.probe().then((healthy) => {
        failures = healthy ? 0 : failures + 1;
        if (failures < failuresUntilRestart || this.#identity === undefined) return;
        this.#log.warn('does not answer; is restarted');
        failures = 0;
        void stopProcess(this.#identity, stopUnreadyMs);
      });
    }, healthEveryMs);
    this.#healthTimer.unref();
  }

  #ended(child: ChildProcess, how: string): void {
    if (this.#child !== child) return;
    this.#child = undefined;
    this.#identity = undefined;
    clearInterval(this.#healthTimer);
    if (this.#stopped.signal.aborted) {
      this.#events.changed();
      return;
    }
    if (this.#state === 'serving' && clock.monotonicMs() - this.#servingSince > stableAfterMs) {
      this.#backOffMs = firstBackOffMs;
    }
    this.#log.warn({ how, restart_in_ms: this.#backOffMs }, 'ended');
    this.#enter('restarting');
    this.#restartTimer = setTimeout(() => {
      this.#restarts++;
      void this.#restart();
    }, this.#backOffMs);
    this.#backOffMs = Math.min(this.#backOffMs * 2, longestBackOffMs);
  }

  /** One that runs but does not become ready is ended, and so gets another try. */
  async #restart(): Promise<void> {
    if ((await this.start()) || this.#identity === undefined) return;
    this.#log.warn('did not become ready');
    await stopProcess(this.#identity, stopUnreadyMs);
  }

  #enter(state: ServiceState): void {
    this.#state = this.#stopped.signal.aborted ? 'stopping' : state;
    this.#events.changed();
  }

  /** Sends a signal to it; for tests of what happens then. */
  signal(signal: NodeJS.Signals): boolean {
    return this.#identity !== undefined && signalProcess(this.#identity, signal);
  }
}

function endOf(child: ChildProcess | undefined): AbortSignal {
  const end = new AbortController();
  child?.once('exit', () => {
    end.abort();
  });
  child?.once('error', () => {
    end.abort();
  });
  return end.signal;
}
