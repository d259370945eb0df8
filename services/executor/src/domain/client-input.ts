import { isTeuError, teuError } from '@teu/errors';
import { NativeError, type StdinWriter, type SupervisorConnection } from '@teu/native';
import type { AttachProcessRequest } from '@teu/proto/executor';
import { checkConsoleSize } from './plan/process.js';
import type { ProcessEntry } from './process-entry.js';
import { resizeTerminal } from './signal-process.js';

/**
 * What an attached client sends: input, its end, sizes of the terminal. The next message is taken only when the
 * supervisor has room for the one before, so the client is held up by the program that does not read.
 */
export class ClientInput {
  readonly #entry: ProcessEntry;
  readonly #connection: SupervisorConnection;
  #stdin: StdinWriter | null = null;
  #failure: Error | null = null;

  constructor(entry: ProcessEntry, connection: SupervisorConnection) {
    this.#entry = entry;
    this.#connection = connection;
  }

  /** Why the client's messages were refused, if they were; the line is hung up then. */
  get failure(): Error | null {
    return this.#failure;
  }

  /** Takes messages until the client sends no more. Never rejects. */
  async takeAll(requests: AsyncIterable<AttachProcessRequest>): Promise<void> {
    try {
      for await (const { part } of requests) await this.#take(part);
    } catch (error) {
      if (!isTeuError(error)) return; // The line has ended, and so does the output.
      this.#failure = error;
      this.#connection.close();
    }
  }

  async #take(part: AttachProcessRequest['part']): Promise<void> {
    switch (part?.$case) {
      case 'stdin':
        return (await this.#input()).write(part.value);
      case 'closeStdin':
        (await this.#input()).close();
        return;
      case 'resize':
        return resizeTerminal(this.#entry, checkConsoleSize(part.value, 'resize'));
      default:
        throw teuError(
          'INVALID_ARGUMENT',
          'only the first message is attach, and each has a part',
          {
            metadata: { field: 'part' },
          },
        );
    }
  }

  /** The program's input, opened with the first byte: clients that only read leave it to others. */
  async #input(): Promise<StdinWriter> {
    if (this.#stdin !== null) return this.#stdin;
    try {
      this.#stdin = await this.#connection.openStdin();
      return this.#stdin;
    } catch (error) {
      const { description } = this.#entry;
      const code = error instanceof NativeError ? error.code : '';
      if (code === 'EBUSY') throw teuError('CONFLICT', `another client writes to ${description}`);
      if (code === 'EPIPE') throw teuError('STDIN_CLOSED', `the input of ${description} is closed`);
      throw error;
    }
  }
}
