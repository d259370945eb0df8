import { setTimeout as delay } from 'node:timers/promises';
import { isTeuError, teuError } from '@teu/errors';
import { SnapshotsService } from '@teu/proto/snapshots';
import { connect, type RpcChannel, type UnaryMethod } from '@teu/rpc';
import { Breaker } from './breaker.js';
import { DOUBT_MS, LifeWatch } from './life-watch.js';

/** How one call is made. */
export interface DriverCall {
  /** How long the answer may take, in milliseconds. */
  timeoutMs?: number;
  /** Cancels the call. */
  signal?: AbortSignal;
}

/** Where a driver is and how it is called. */
export interface ConnectionOptions {
  name: string;
  address: string;
  snapshotter: string;
  headers: Readonly<Record<string, string>>;
  /** Told when the driver has begun to give no answers. */
  onStall: () => void;
}

/** For what a driver knows without asking its disk. */
const QUICK_MS = 5_000;
/** Long enough for a driver to be started again after a crash. */
const RECONNECT_MS = 1_500;
/** The longest that a channel rests between two attempts to connect, and a little more. */
const REDIAL_MS = 600;
const RETRY_DELAY_MS = 25;
/** No snapshot has this name; to be told so is a sign of life. */
const NO_KEY = 'teu-probe';

/** Calls to one driver: each with a deadline, tried again while the connection is broken, never piled up. */
export class DriverConnection {
  readonly channel: RpcChannel;
  readonly #options: ConnectionOptions;
  readonly #breaker = new Breaker();

  constructor(options: ConnectionOptions) {
    const { address, name: serviceName, headers } = options;
    this.#options = options;
    this.channel = connect(address, { serviceName, headers });
  }

  /** Whether the driver gave no answer when it was last asked. */
  get isStalled(): boolean {
    return this.#breaker.isOpen;
  }

  /**
   * Makes one call, and makes it again while the connection is broken: what is asked for is named by keys, so that a
   * repetition does nothing or is told that the thing is there.
   * @throws DRIVER_UNAVAILABLE if there is no answer; else what the driver says
   */
  async call<Req, Res>(
    method: UnaryMethod<Req, Res>,
    request: Req,
    call: DriverCall = {},
  ): Promise<Res> {
    if (!this.#breaker.admit()) throw this.#resting();
    const begin = performance.now();
    try {
      const answer = await this.#persist(method, request, call, RECONNECT_MS);
      this.#breaker.close();
      return answer;
    } catch (error) {
      this.#learnFrom(error);
      throw this.named(error, performance.now() - begin);
    }
  }

  /**
   * As `call`, for work that takes as long as the disk does. A driver that meanwhile answers nothing else either is
   * not waited for.
   */
  async callSlow<Req, Res>(
    method: UnaryMethod<Req, Res>,
    request: Req,
    { signal, ...call }: DriverCall = {},
  ): Promise<Res> {
    const stop = new AbortController();
    const giveUp = (): void => stop.abort();
    signal?.addEventListener('abort', giveUp, { once: true });
    const begin = performance.now();
    const watch = new LifeWatch(() => this.#isAlive(), giveUp);
    try {
      return await this.call(method, request, { ...call, signal: stop.signal });
    } catch (error) {
      if (!watch.foundSilence) throw error;
      this.#stall();
      throw this.#silent(error, performance.now() - begin);
    } finally {
      watch.end();
      signal?.removeEventListener('abort', giveUp);
    }
  }

  /**
   * Calls though the driver may be resting, and not again and again: to tell how it is.
   * @throws DRIVER_UNAVAILABLE if there is no answer; else what the driver says
   */
  async inquire<Req, Res>(
    method: UnaryMethod<Req, Res>,
    request: Req,
    call: DriverCall,
  ): Promise<Res> {
    const begin = performance.now();
    try {
      const answer = await this.#persist(method, request, call, REDIAL_MS);
      this.#breaker.close();
      return answer;
    } catch (error) {
      throw this.named(error, performance.now() - begin);
    }
  }

  /** Asks for a snapshot that is not there. What comes back tells whether snapshots are served at all. */
  async ping(call: DriverCall): Promise<void> {
    const request = { snapshotter: this.#options.snapshotter, key: NO_KEY };
    try {
      await this.inquire(SnapshotsService.stat, request, call);
    } catch (error) {
      if (!isTeuError(error) || error.status !== 'NOT_FOUND') throw error;
    }
  }

  /** An error that says which driver it was, if none answered; what a driver says passes. */
  named(error: unknown, waitedMs: number): unknown {
    if (isTeuError(error, 'DEADLINE_EXCEEDED')) return this.#silent(error, waitedMs);
    if (!isTeuError(error, 'UNAVAILABLE')) return error;
    const text = `the storage driver ${this.#options.name} cannot be reached`;
    return this.#unavailable(text, waitedMs, error);
  }

  async #persist<Req, Res>(
    method: UnaryMethod<Req, Res>,
    request: Req,
    { timeoutMs = QUICK_MS, signal }: DriverCall,
    patienceMs: number,
  ): Promise<Res> {
    const begin = performance.now();
    const options = signal === undefined ? { timeoutMs } : { timeoutMs, signal };
    for (;;) {
      try {
        return await this.channel.unary(method, request, options);
      } catch (error) {
        const isOver = signal?.aborted === true || performance.now() - begin >= patienceMs;
        if (isOver || !isTeuError(error, 'UNAVAILABLE')) throw error;
        await delay(RETRY_DELAY_MS);
      }
    }
  }

  #learnFrom(error: unknown): void {
    if (isTeuError(error, 'DEADLINE_EXCEEDED')) this.#stall();
    // A call that its caller gave up tells nothing.
    else if (!isTeuError(error, 'CANCELLED')) this.#breaker.close();
  }

  #stall(): void {
    const isNew = !this.#breaker.isOpen;
    this.#breaker.open();
    if (isNew) this.#options.onStall();
  }

  async #isAlive(): Promise<boolean> {
    try {
      const request = { snapshotter: this.#options.snapshotter, key: NO_KEY };
      await this.channel.unary(SnapshotsService.stat, request, { timeoutMs: DOUBT_MS });
      return true;
    } catch (error) {
      // Whatever else it says, it says something; and a broken connection ends the call that is doubted by itself.
      return !isTeuError(error, 'DEADLINE_EXCEEDED');
    }
  }

  #silent(cause: unknown, waitedMs: number): Error {
    const seconds = (waitedMs / 1000).toFixed(1).replace(/\.0$/, '');
    const text = `the storage driver ${this.#options.name} gave no answer in ${seconds} s`;
    return this.#unavailable(text, waitedMs, cause);
  }

  #resting(): Error {
    const { name } = this.#options;
    const seconds = Math.ceil(this.#breaker.restMs / 1000);
    const text = `the storage driver ${name} gave no answer a moment ago; it is asked again in ${seconds} s`;
    return this.#unavailable(text, 0, undefined);
  }

  #unavailable(text: string, waitedMs: number, cause: unknown): Error {
    const metadata = { driver: this.#options.name, waited_ms: String(Math.round(waitedMs)) };
    return teuError('DRIVER_UNAVAILABLE', text, { metadata, cause });
  }
}
