import type { Socket } from 'node:net';
import { constants } from 'node:os';
import { findCommand } from '../command-table.js';
import {
  Interrupted,
  type Context,
  type Input,
  type Output,
  type Signals,
  type Terminal,
  type TerminalSize,
} from '../context.js';
import type { Services } from '../services.js';
import {
  encodeFrame,
  frameHeader,
  FrameDecoder,
  fromLauncher,
  number32,
  protocolVersion,
  toLauncher,
  type Frame,
} from './frames.js';
import { decodeHello, readSize, type Hello } from './hello.js';
import { StdinFrames } from './stdin-frames.js';

const { SIGHUP, SIGINT, SIGQUIT, SIGTERM } = constants.signals;
const interrupts: readonly number[] = [SIGHUP, SIGINT, SIGQUIT, SIGTERM];

/** Runs one command line; runProgram, or what a test puts in its place. */
export type Program = (context: Context) => Promise<number>;

/** One launcher at cli.sock: from its hello to the exit code. */
export class LauncherSession {
  readonly #socket: Socket;
  readonly #services: Services;
  readonly #program: Program;
  readonly #decoder = new FrameDecoder();
  readonly #abort = new AbortController();
  readonly #stdin: StdinFrames;
  readonly #signalListeners = new Set<(signal: number) => void>();
  readonly #resizeListeners = new Set<(size: TerminalSize) => void>();
  #size: TerminalSize | undefined;
  #started = false;

  constructor(socket: Socket, services: Services, program: Program) {
    this.#socket = socket;
    this.#services = services;
    this.#program = program;
    this.#stdin = new StdinFrames((credit) => {
      this.#send(toLauncher.stdinCredit, number32(credit));
    });
    socket.on('data', (chunk) => {
      this.#receive(chunk);
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => {
      this.#stdin.end();
      this.#abort.abort(new Interrupted(SIGHUP));
    });
  }

  #receive(chunk: Buffer): void {
    try {
      for (const frame of this.#decoder.push(chunk)) this.#handle(frame);
    } catch {
      // Not a launcher of ours; it gets no answer.
      this.#socket.destroy();
    }
  }

  #handle({ type, payload }: Frame): void {
    if (!this.#started) {
      if (type !== fromLauncher.hello) throw new Error('a launcher that says no hello');
      this.#started = true;
      this.#begin(decodeHello(payload));
    } else if (type === fromLauncher.stdin) {
      this.#stdin.add(payload);
    } else if (type === fromLauncher.stdinEnd) {
      this.#stdin.end();
    } else if (type === fromLauncher.signal) {
      this.#takeSignal(payload.readUInt8(0));
    } else if (type === fromLauncher.resize) {
      this.#size = readSize(payload, 0);
      if (this.#size === undefined) return;
      for (const listener of this.#resizeListeners) listener(this.#size);
    }
  }

  #begin(hello: Hello): void {
    const { command } = findCommand(hello.args);
    if (hello.version !== protocolVersion || command?.ownProcess === true) {
      this.#socket.end(encodeFrame(toLauncher.runLocally));
      return;
    }
    this.#size = hello.size;
    this.#send(toLauncher.accepted);
    void this.#run(this.#contextOf(hello));
  }

  async #run(context: Context): Promise<void> {
    const exitCode = await this.#program(context);
    if (!this.#socket.destroyed) this.#socket.end(encodeFrame(toLauncher.exit, number32(exitCode)));
  }

  #takeSignal(signal: number): void {
    if (this.#signalListeners.size > 0) {
      for (const listener of this.#signalListeners) listener(signal);
    } else if (interrupts.includes(signal)) {
      this.#abort.abort(new Interrupted(signal));
    }
  }

  #send(type: number, payload?: Uint8Array): void {
    if (!this.#socket.destroyed) this.#socket.write(encodeFrame(type, payload));
  }

  #contextOf(hello: Hello): Context {
    const stdin: Input = {
      isTerminal: hello.stdinIsTerminal,
      read: () => this.#stdin.read(),
    };
    const signals: Signals = { listen: (listener) => listen(this.#signalListeners, listener) };
    const terminal: Terminal = {
      size: () => this.#size,
      onResize: (listener) => listen(this.#resizeListeners, listener),
      setRawMode: (on) => {
        this.#send(toLauncher.rawMode, Uint8Array.of(on ? 1 : 0));
      },
    };
    return {
      args: hello.args,
      env: hello.env,
      cwd: hello.cwd,
      stdin,
      stdout: this.#output(toLauncher.stdout, hello.stdoutIsTerminal),
      stderr: this.#output(toLauncher.stderr, hello.stderrIsTerminal),
      terminal,
      signals,
      abort: this.#abort.signal,
      services: this.#services,
      place: 'resident',
    };
  }

  #output(type: number, isTerminal: boolean): Output {
    const socket = this.#socket;
    return {
      isTerminal,
      write: (data) => {
        const bytes = typeof data === 'string' ? Buffer.from(data) : data;
        if (socket.destroyed || bytes.length === 0) return Promise.resolve();
        socket.write(frameHeader(type, bytes.length));
        if (socket.write(bytes)) return Promise.resolve();
        return new Promise((resolve) => {
          const done = () => {
            socket.off('drain', done);
            socket.off('close', done);
            resolve();
          };
          socket.on('drain', done);
          socket.on('close', done);
        });
      },
    };
  }
}

function listen<T>(listeners: Set<(value: T) => void>, listener: (value: T) => void): () => void {
  listeners.add(listener);
  return () => {
    listeners.delete(listener);
  };
}
