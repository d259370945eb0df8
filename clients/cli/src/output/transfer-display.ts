import { TransferStep, type TransferProgress } from '@teu/proto/image';
import type { Context, Output } from '../context.js';
import { shortId, storedSize } from './for-people.js';
import { visible } from './visible.js';

const barWidth = 30;
const titles: Readonly<Record<number, string>> = {
  [TransferStep.TRANSFER_STEP_WAITING]: 'Waiting',
  [TransferStep.TRANSFER_STEP_RETRYING]: 'Retrying',
  [TransferStep.TRANSFER_STEP_EXISTS]: 'Already there',
  [TransferStep.TRANSFER_STEP_MOUNTED]: 'Taken from another repository',
};

/** What a transfer is called in its two directions. */
export interface TransferWords {
  transferring: string;
  done: string;
}

export const pullWords: TransferWords = { transferring: 'Downloading', done: 'Pull complete' };
export const pushWords: TransferWords = { transferring: 'Pushing', done: 'Pushed' };

/**
 * Progress of several blobs at once: a line for each that changes in place on a terminal, elsewhere a line for each new
 * step.
 */
export class TransferDisplay {
  readonly #output: Output;
  readonly #size: () => { rows: number; columns: number };
  readonly #words: TransferWords;
  readonly #lines = new Map<string, string>();
  readonly #steps = new Map<string, TransferStep>();
  #drawn = 0;

  constructor(output: Output, context: Pick<Context, 'terminal'>, words: TransferWords) {
    this.#output = output;
    this.#size = () => context.terminal.size() ?? { rows: 24, columns: 80 };
    this.#words = words;
  }

  /** Shows how far a blob is. */
  async show(progress: TransferProgress): Promise<void> {
    const { digest, step } = progress;
    const isNew = this.#steps.get(digest) !== step;
    this.#steps.set(digest, step);
    if (!this.#output.isTerminal) {
      if (isNew) await this.#output.write(`${shortId(digest)}: ${this.#title(progress)}\n`);
      return;
    }
    this.#lines.set(digest, `${shortId(digest)}: ${this.#title(progress)}${barOf(progress)}`);
    await this.#redraw();
  }

  #title({ step, resumedBytes, detail }: TransferProgress): string {
    const more = detail === '' ? '' : ` (${visible(detail)})`;
    if (step === TransferStep.TRANSFER_STEP_DONE) return this.#words.done;
    if (step === TransferStep.TRANSFER_STEP_UNPACKING) return `Unpacking${more}`;
    if (step !== TransferStep.TRANSFER_STEP_TRANSFERRING) return `${titles[step] ?? ''}${more}`;
    return `${this.#words.transferring}${resumedBytes > 0 ? ' the rest' : ''}${more}`;
  }

  /** Lines above the screen can't be reached: of many the last ones change. */
  async #redraw(): Promise<void> {
    const { rows, columns } = this.#size();
    const room = Math.max(1, rows - 1);
    const lines = [...this.#lines.values()].map((line) => line.slice(0, Math.max(20, columns - 1)));
    const shown = lines.slice(-room);
    const up = this.#drawn > 0 ? `\u001b[${String(this.#drawn)}A` : '';
    this.#drawn = shown.length;
    await this.#output.write(`${up}${shown.map((line) => `\r\u001b[K${line}\n`).join('')}`);
  }
}

function barOf({ step, currentBytes, totalBytes }: TransferProgress): string {
  if (step !== TransferStep.TRANSFER_STEP_TRANSFERRING || totalBytes <= 0) return '';
  const share = Math.min(1, currentBytes / totalBytes);
  const filled = Math.round(share * barWidth);
  const bar = `[${'='.repeat(filled)}${' '.repeat(barWidth - filled)}]`;
  return ` ${bar} ${storedSize(currentBytes)}/${storedSize(totalBytes)}`;
}
