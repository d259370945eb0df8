import { CheckSummary } from '@teu/proto/storage';

/** What a check adds up on its way. */
export class Tally {
  readonly #summary = CheckSummary.create({});

  countSnapshot(isJudged: boolean): void {
    this.#summary.snapshotCount += 1;
    if (!isJudged) this.#summary.unjudgedCount += 1;
  }

  countFiles(fileCount: number, readBytes: number): void {
    this.#summary.fileCount += fileCount;
    this.#summary.readBytes += readBytes;
  }

  /** @param remains - Whether it is still so. */
  countFinding(remains: boolean): void {
    this.#summary.findingCount += 1;
    if (remains) this.#summary.remainingCount += 1;
  }

  summary(): CheckSummary {
    return { ...this.#summary };
  }
}
