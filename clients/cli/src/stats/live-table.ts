import type { Output, Terminal } from '../context.js';

const ROWS_MIN = 3;

/**
 * A table that is shown again and again: in the same place on a terminal, one after the other elsewhere, where its
 * head comes once.
 */
export class LiveTable {
  readonly #output: Output;
  readonly #terminal: Pick<Terminal, 'size'>;
  #shownLines = 0;
  #isFirst = true;

  constructor(output: Output, terminal: Pick<Terminal, 'size'>) {
    this.#output = output;
    this.#terminal = terminal;
  }

  /** @param text lines, the first one the head */
  async show(text: string): Promise<void> {
    const size = this.#output.isTerminal ? this.#terminal.size() : undefined;
    if (size === undefined) {
      const rows = this.#isFirst ? text : text.slice(text.indexOf('\n') + 1);
      this.#isFirst = false;
      await this.#output.write(rows);
      return;
    }
    const lines = fitted(text, size.rows - 1, size.columns);
    const up = this.#shownLines === 0 ? '' : `\u001b[${String(this.#shownLines)}A`;
    this.#shownLines = lines.length;
    await this.#output.write(`${up}\r\u001b[J${lines.map((line) => `${line}\n`).join('')}`);
  }
}

/** What is above the top of a terminal could not be shown again in its place. */
function fitted(text: string, rows: number, columns: number): string[] {
  const lines = text.split('\n').slice(0, -1);
  const room = Math.max(rows, ROWS_MIN);
  const shown =
    lines.length <= room
      ? lines
      : [...lines.slice(0, room - 1), `and ${String(lines.length - room + 1)} more`];
  return shown.map((line) => line.slice(0, columns));
}
