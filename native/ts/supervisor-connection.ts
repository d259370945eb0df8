import { createConnection, type Socket } from 'node:net';
import { Deferred } from './deferred.js';
import { ClientFrame, encodeFrame, FrameSplitter, ServerFrame, type Frame } from './frames.js';
import * as payloads from './frame-payloads.js';
import type { ProcessIdentity } from './launch-plan.js';
import { LogStream } from './log-stream.js';
import { NativeError } from './native-error.js';
import { StdinWriter } from './stdin-writer.js';
import type { AttachOptions, ExitInfo, StartedInfo } from './supervisor-types.js';
import type { SupervisorIdentity, SupervisorStatus } from './supervisor-types.js';

const NO_PAYLOAD = Buffer.alloc(0);

/**
 * One client's line to a supervisor. The supervisor tells every new client what has happened so far, so `started()`
 * and `exited()` work the same on the launching connection and on a later one.
 *
 * A reader that stops reading `attach()` stops this whole line (the socket is its flow control): give a slow consumer
 * a connection of its own.
 *
 * All promises reject with NativeError: of the failed launch, or `ECONNRESET` at step `connection` when the line ends
 * first. A rejected promise that nobody asked for does no harm.
 */
export class SupervisorConnection {
  readonly #socket: Socket;
  readonly #frames = new FrameSplitter();
  readonly #hello = new Deferred<SupervisorIdentity>();
  readonly #created = new Deferred<ProcessIdentity>();
  readonly #started = new Deferred<StartedInfo>();
  readonly #exited = new Deferred<ExitInfo>();
  readonly #released = new Deferred<undefined>();
  readonly #closed = new Deferred<undefined>();
  readonly #requests = new Map<number, Deferred<Frame>>();
  #nextTag = 1;
  #log: LogStream | null = null;
  #stdin: StdinWriter | null = null;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#lost());
  }

  /** Who answers, once it has said hello. */
  identity(): Promise<SupervisorIdentity> {
    return this.#hello.promise;
  }

  /** Everything is set up and the program waits for `start()`; at once after `started()` for a plan without hold. */
  created(): Promise<ProcessIdentity> {
    return this.#created.promise;
  }

  /** The program was executed. Rejects with the step that failed, or `killed` if it ended while held. */
  started(): Promise<StartedInfo> {
    return this.#started.promise;
  }

  /** The program ended. `directory/exit` was written before this. */
  exited(): Promise<ExitInfo> {
    return this.#exited.promise;
  }

  /**
   * The container's mounts are gone (or, for an exec, nothing holds its output any more); the socket too. Close the
   * connection then: the supervisor waits a second for late requests otherwise.
   */
  released(): Promise<undefined> {
    return this.#released.promise;
  }

  /** The line has ended, from either side. Never rejects. */
  closed(): Promise<undefined> {
    return this.#closed.promise;
  }

  /** Lets a held program go. `EALREADY` if it was not held or already started. */
  async start(): Promise<void> {
    await this.#command('start', ClientFrame.start, NO_PAYLOAD);
  }

  /** Lets a held world run the program of the plan that was written by `writeProgramPlan`. `EALREADY` as for `start()`. */
  async startPlanned(): Promise<void> {
    await this.#command('start', ClientFrame.startPlanned, NO_PAYLOAD);
  }

  /**
   * Signals the program, or with `all` every process in its cgroup (of an exec: in the container's). `ESRCH` once it has
   * ended.
   */
  async signal(signal: number, options: { all?: boolean } = {}): Promise<void> {
    const payload = payloads.encodeSignal(signal, options.all ?? false);
    await this.#command('signal', ClientFrame.signal, payload);
  }

  /** Sets the terminal's size. `ENOTTY` without a terminal. */
  async resize(size: { rows: number; columns: number }): Promise<void> {
    const payload = payloads.encodeResize(size.rows, size.columns);
    await this.#command('resize', ClientFrame.resize, payload);
  }

  async status(): Promise<SupervisorStatus> {
    const reply = await this.#request('status', ClientFrame.status, NO_PAYLOAD);
    return payloads.decodeStatus(reply.payload);
  }

  /**
   * The program's output from an offset on, until it has ended and all was read. One at a time on a connection; ending
   * the loop early detaches.
   */
  attach(options: AttachOptions): LogStream {
    if (this.#log !== null) throw new Error('this connection is already attached');
    const log = new LogStream(this.#socket, () => this.#detach());
    this.#log = log;
    this.#command('attach', ClientFrame.attach, payloads.encodeAttach(options)).catch(
      (error: unknown) => {
        log.fail(error instanceof Error ? error : new Error(String(error)));
      },
    );
    return log;
  }

  /** Becomes the writer of the program's input. `EBUSY` while another client is, `EPIPE` if there is none. */
  async openStdin(): Promise<StdinWriter> {
    const stdin = new StdinWriter((type, payload) => this.#send(type, 0, payload));
    this.#stdin = stdin;
    await this.#command('stdin', ClientFrame.stdinOpen, NO_PAYLOAD);
    return stdin;
  }

  /** Hangs up. The container is not touched. */
  close(): void {
    this.#socket.destroy();
  }

  /** Lets Node exit although this line is open. */
  unref(): void {
    this.#socket.unref();
  }

  #detach(): void {
    this.#log = null;
    if (!this.#socket.destroyed) this.#send(ClientFrame.detach, 0, NO_PAYLOAD);
  }

  async #command(step: string, type: number, payload: Uint8Array): Promise<void> {
    const reply = await this.#request(step, type, payload);
    const errno = reply.payload.readUInt32LE(0);
    if (errno !== 0) throw new NativeError({ step, syscall: step, path: '', errno: -errno });
  }

  #request(step: string, type: number, payload: Uint8Array): Promise<Frame> {
    if (this.#socket.destroyed) return Promise.reject(connectionLost(step));
    const tag = this.#nextTag;
    this.#nextTag = tag === 0xffff ? 1 : tag + 1;
    const answer = new Deferred<Frame>();
    this.#requests.set(tag, answer);
    this.#send(type, tag, payload);
    return answer.promise;
  }

  #send(type: number, tag: number, payload: Uint8Array): void {
    this.#socket.write(encodeFrame(type, tag, payload));
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#frames.push(chunk)) this.#take(frame);
    } catch (error) {
      this.#socket.destroy(error instanceof Error ? error : undefined);
    }
  }

  #take(frame: Frame): void {
    const { payload } = frame;
    switch (frame.type) {
      case ServerFrame.hello:
        this.#hello.resolve(payloads.decodeHello(payload));
        break;
      case ServerFrame.created:
        this.#created.resolve(payloads.decodeProcess(payload));
        break;
      case ServerFrame.started:
        this.#takeStarted(payloads.decodeStarted(payload));
        break;
      case ServerFrame.failed:
        this.#fail(new NativeError(payloads.decodeFailed(payload)));
        break;
      case ServerFrame.exit:
        this.#started.reject(endedUnstarted());
        this.#exited.resolve(payloads.decodeExit(payload));
        break;
      case ServerFrame.log:
        this.#log?.push(payloads.decodeLogRecords(payload));
        break;
      case ServerFrame.logEnd:
        this.#log?.end();
        break;
      case ServerFrame.credit:
        this.#stdin?.grant(payload.readUInt32LE(0));
        break;
      case ServerFrame.released:
        this.#released.resolve(undefined);
        break;
      case ServerFrame.result:
      case ServerFrame.statusReply:
        this.#takeAnswer(frame);
        break;
      default:
        break; // A newer supervisor's news; HELLO's version tells whether that matters.
    }
  }

  #takeStarted(info: StartedInfo): void {
    this.#created.resolve(info.process);
    this.#started.resolve(info);
  }

  #takeAnswer(frame: Frame): void {
    const answer = this.#requests.get(frame.tag);
    this.#requests.delete(frame.tag);
    answer?.resolve(frame);
  }

  #fail(error: NativeError): void {
    this.#created.reject(error);
    this.#started.reject(error);
    this.#exited.reject(error);
    this.#log?.fail(error);
  }

  #lost(): void {
    const error = connectionLost('connection');
    this.#hello.reject(error);
    this.#fail(error);
    this.#released.reject(error);
    for (const answer of this.#requests.values()) answer.reject(error);
    this.#requests.clear();
    this.#stdin?.fail(error);
    this.#closed.resolve(undefined);
  }
}

/**
 * Connects to a running supervisor's socket and waits for its hello.
 * @throws NativeError `ENOENT`/`ECONNREFUSED` at step `connect`: there is no such supervisor any more.
 */
export async function connectSupervisor(socketPath: string): Promise<SupervisorConnection> {
  const socket = createConnection({ path: socketPath });
  await new Promise<void>((resolve, reject) => {
    socket.once('connect', resolve);
    socket.once('error', (error: NodeJS.ErrnoException) =>
      reject(connectFailed(socketPath, error)),
    );
  });
  const connection = new SupervisorConnection(socket);
  await connection.identity();
  return connection;
}

function connectFailed(path: string, error: NodeJS.ErrnoException): NativeError {
  const errno = error.errno ?? 0;
  return new NativeError({ step: 'connect', syscall: 'connect', path, errno }, { cause: error });
}

/** A held program was killed. (A started one is not affected: its promise has been kept.) */
function endedUnstarted(): NativeError {
  const ECANCELED = 125;
  return new NativeError({ step: 'killed', syscall: 'wait4', path: '', errno: -ECANCELED });
}

function connectionLost(step: string): NativeError {
  const ECONNRESET = 104;
  return new NativeError({ step, syscall: 'read', path: '', errno: -ECONNRESET });
}
