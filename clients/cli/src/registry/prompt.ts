import { CliError } from '../cli-error.js';
import { Interrupted, type Context } from '../context.js';

const interruptKey = 3;
const endKey = 4;
const eraseKeys: readonly number[] = [8, 127];
const enterKeys: readonly number[] = [10, 13];
const answerLengthMax = 4096;
const interruptSignal = 2;

/** Asks questions on the terminal, key by key, so that an answer can be kept from being seen. */
export class Prompt {
  readonly #context: Context;
  readonly #chunks: AsyncIterator<Uint8Array>;
  #keys: number[] = [];

  constructor(context: Context) {
    this.#context = context;
    this.#chunks = context.stdin.read()[Symbol.asyncIterator]();
  }

  /** Asks for a line. */
  async ask(question: string, { isSecret }: { isSecret: boolean }): Promise<string> {
    const { terminal, stderr } = this.#context;
    await stderr.write(question);
    terminal.setRawMode(true);
    try {
      return await this.#readLine(isSecret);
    } finally {
      terminal.setRawMode(false);
      await stderr.write('\n');
    }
  }

  async #readLine(isSecret: boolean): Promise<string> {
    const typed: number[] = [];
    for (;;) {
      const key = await this.#nextKey();
      if (key === interruptKey) throw new Interrupted(interruptSignal);
      if (key === undefined || key === endKey || enterKeys.includes(key)) {
        return Buffer.from(typed).toString('utf8');
      }
      if (eraseKeys.includes(key)) {
        if (typed.pop() !== undefined && !isSecret) await this.#context.stderr.write('\b \b');
        continue;
      }
      if (typed.length >= answerLengthMax) throw new CliError('the answer is too long');
      typed.push(key);
      if (!isSecret) await this.#context.stderr.write(Uint8Array.of(key));
    }
  }

  async #nextKey(): Promise<number | undefined> {
    if (this.#keys.length === 0) {
      const next = await this.#chunks.next();
      if (next.done === true) return undefined;
      this.#keys = [...next.value];
    }
    return this.#keys.shift();
  }
}
