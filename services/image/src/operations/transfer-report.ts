import { TransferProgress } from '@teu/proto/image';

/** Tells how far a transfer has come. */
export type ReportTransfer = (progress: TransferProgress) => void;

const EVERY_MS = 100;

/** Progress of one blob; told at each new step, and in between ten times a second. */
export class TransferReport {
  readonly #report: ReportTransfer;
  readonly #state: TransferProgress;
  #told = -Infinity;

  constructor(report: ReportTransfer, digest: string, totalBytes: number) {
    this.#report = report;
    this.#state = TransferProgress.create({ digest, totalBytes });
  }

  /** Tells a step, or how far it is. */
  tell(more: Partial<TransferProgress>): void {
    const { step } = this.#state;
    Object.assign(this.#state, { detail: '' }, more);
    const now = performance.now();
    if (this.#state.step === step && now - this.#told < EVERY_MS) return;
    this.#told = now;
    this.#report({ ...this.#state });
  }
}
