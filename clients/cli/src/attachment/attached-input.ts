import type { CloseStdin, ConsoleSize } from '@teu/proto/executor';
import type { Context, TerminalSize } from '../context.js';
import { DetachKeys } from './detach-keys.js';
import { InputQueue } from './input-queue.js';

/** What a client sends to a program it is attached to; the cases are those of the protocols. */
export type InputPart =
  | { $case: 'stdin'; value: Buffer }
  | { $case: 'closeStdin'; value: CloseStdin }
  | { $case: 'resize'; value: ConsoleSize }
  | { $case: 'signal'; value: number };

/** What is passed on to the program. */
export interface AttachedInputOptions {
  readonly stdin: boolean;
  /** Raw keys and changes of size; signals then come from the program's own terminal. */
  readonly terminal: boolean;
  readonly signals: boolean;
}

/** Size of a terminal in the words of the protocols. */
export function consoleSize(size: TerminalSize): ConsoleSize {
  return { height: size.rows, width: size.columns };
}

/**
 * Takes standard input, signals and the terminal's size of a command and makes one stream of them.
 * close() gives the terminal back; it must be called.
 */
export class AttachedInput implements AsyncIterable<InputPart> {
  /** Whether the keys to detach were pressed. */
  detached = false;
  readonly #context: Context;
  readonly #queue = new InputQueue<InputPart>();
  readonly #undo: (() => void)[] = [];
  #onDetach: () => void = () => undefined;

  constructor(context: Context, options: AttachedInputOptions) {
    this.#context = context;
    if (options.terminal) this.#followTerminal(options.stdin);
    if (options.signals) {
      this.#undo.push(
        context.signals.listen((signal) => {
          void this.#queue.push({ $case: 'signal', value: signal });
        }),
      );
    }
    if (options.stdin) void this.#pumpStdin(options.terminal);
  }

  [Symbol.asyncIterator](): AsyncIterator<InputPart> {
    return this.#queue[Symbol.asyncIterator]();
  }

  /** Calls the listener when the keys to detach are pressed. */
  onDetach(listener: () => void): void {
    this.#onDetach = listener;
  }

  /** Ends the stream and sets the terminal back. */
  close(): void {
    this.#queue.end();
    for (const undo of this.#undo.splice(0)) undo();
  }

  #followTerminal(stdin: boolean): void {
    const { terminal } = this.#context;
    const send = (size: TerminalSize) => {
      void this.#queue.push({ $case: 'resize', value: consoleSize(size) });
    };
    const size = terminal.size();
    if (size !== undefined) send(size);
    this.#undo.push(terminal.onResize(send));
    if (!stdin || !this.#context.stdin.isTerminal) return;
    terminal.setRawMode(true);
    this.#undo.push(() => {
      terminal.setRawMode(false);
    });
  }

  async #pumpStdin(terminal: boolean): Promise<void> {
    const detachKeys = terminal ? new DetachKeys() : undefined;
    try {
      for await (const chunk of this.#context.stdin.read()) {
        const bytes = detachKeys === undefined ? chunk : detachKeys.filter(chunk);
        if (bytes.length > 0) {
          await this.#queue.push({ $case: 'stdin', value: Buffer.from(bytes) });
        }
        if (detachKeys?.pressed) {
          this.detached = true;
          this.#onDetach();
          return;
        }
      }
    } catch {
      // Standard input that can't be read has ended, as far as the program is concerned.
    }
    await this.#queue.push({ $case: 'closeStdin', value: {} });
  }
}
