import type { Services } from './services.js';

/** Environment variables of whoever gave the command. */
export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Everything a command may touch of the one who gave it. The same command runs in a process of its
 * own and, many at a time, in the resident process, so no command looks at the process it runs in.
 */
export interface Context {
  /** Command and arguments, without the program's name. */
  readonly args: readonly string[];
  readonly env: Environment;
  /** Working directory, absolute: what relative paths in arguments stand on. */
  readonly cwd: string;
  readonly stdin: Input;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly terminal: Terminal;
  readonly signals: Signals;
  /** Aborted when the one who gave the command is gone, or interrupted it and nobody listened. */
  readonly abort: AbortSignal;
  readonly services: Services;
  /** Where the command runs. */
  readonly place: 'process' | 'resident';
}

/** Standard input. Nothing is read before the first chunk is asked for. */
export interface Input {
  readonly isTerminal: boolean;
  /** Reads to the end. May be called once. */
  read(): AsyncIterable<Uint8Array>;
}

/** Standard output or error. */
export interface Output {
  readonly isTerminal: boolean;
  /** Writes; resolves when more may be written, so that a slow reader slows the writer down. */
  write(data: string | Uint8Array): Promise<void>;
}

/** Size of a terminal in characters. */
export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

/** The terminal the command was given on. */
export interface Terminal {
  /** Its size; undefined if there is none. */
  size(): TerminalSize | undefined;
  /** Calls the listener at each change of size. Returns what ends that. */
  onResize(listener: (size: TerminalSize) => void): () => void;
  /** Makes keys arrive as they are pressed, or sets the terminal back. */
  setRawMode(on: boolean): void;
}

/** Signals sent to the command. */
export interface Signals {
  /**
   * Calls the listener with the number of each signal. While nobody listens, an interrupt aborts the
   * command. Returns what ends the listening.
   */
  listen(listener: (signal: number) => void): () => void;
}

/** Why a command was aborted: the exit code it ends with. */
export class Interrupted extends Error {
  readonly exitCode: number;

  constructor(signal: number) {
    super('interrupted');
    this.name = 'Interrupted';
    this.exitCode = 128 + signal;
  }
}
