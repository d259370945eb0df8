import type { Output } from '../context.js';
import { storedSize } from './for-people.js';

const barWidth = 30;

/** One line on a terminal that shows how far something is; silent elsewhere. */
export class ProgressBar {
  readonly #output: Output;
  readonly #columns: number;
  #shown = '';

  constructor(output: Output, columns: number) {
    this.#output = output;
    this.#columns = columns;
  }

  /** Shows the progress of a step. A total of 0 is one that isn't known. */
  async show(title: string, currentBytes: number, totalBytes: number): Promise<void> {
    if (!this.#output.isTerminal) return;
    const share = totalBytes > 0 ? Math.min(1, currentBytes / totalBytes) : 0;
    const filled = Math.round(share * barWidth);
    const bar = totalBytes > 0 ? ` [${'='.repeat(filled)}${' '.repeat(barWidth - filled)}]` : '';
    const sizes =
      totalBytes > 0
        ? ` ${storedSize(currentBytes)} / ${storedSize(totalBytes)}`
        : ` ${storedSize(currentBytes)}`;
    const line = `${title}${bar}${sizes}`.slice(0, Math.max(20, this.#columns - 1));
    if (line === this.#shown) return;
    this.#shown = line;
    await this.#output.write(`\r\u001b[K${line}`);
  }

  /** Takes the line away. */
  async clear(): Promise<void> {
    if (this.#shown !== '') await this.#output.write('\r\u001b[K');
    this.#shown = '';
  }
}
