import { clock } from '@teu/ids';
import type { Output } from '../context.js';
import { timeSpan } from './for-people.js';

const everyMs = 1000;

/** One line on a terminal that shows that something goes on, and for how long; silent elsewhere. */
export class ActivityLine {
  readonly #output: Output;
  readonly #title: string;
  readonly #begin = clock.monotonicMs();
  #timer: NodeJS.Timeout | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(output: Output, title: string) {
    this.#output = output;
    this.#title = title;
    if (!output.isTerminal) return;
    this.#timer = setInterval(() => {
      this.#show();
    }, everyMs);
  }

  #show(): void {
    const span = timeSpan(clock.monotonicMs() - this.#begin);
    this.#write(`\r\u001b[K${this.#title} (${span})`);
  }

  #write(text: string): void {
    this.#writing = this.#writing.then(() => this.#output.write(text)).catch(() => undefined);
  }

  /** Takes the line away, so that something can be printed in its place. It comes back by itself. */
  async hide(): Promise<void> {
    if (this.#timer !== undefined) this.#write('\r\u001b[K');
    await this.#writing;
  }

  /** Takes the line away for good. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    await this.hide();
  }
}
