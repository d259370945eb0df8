import type { Logger } from '@teu/log';

/** Frees in the background what was discarded; one run at a time. */
export class Reclaimer {
  readonly #reclaim: () => Promise<void>;
  readonly #log: Logger;
  #running: Promise<void> | undefined;
  #again = false;

  constructor(reclaim: () => Promise<void>, log: Logger) {
    this.#reclaim = reclaim;
    this.#log = log;
  }

  /** Starts a run, or has the present one look again. Never throws: a failure is tried again next time. */
  schedule(): void {
    void this.finish().catch((error: unknown) => {
      this.#log.error({ err: error }, 'files of removed snapshots could not be deleted');
    });
  }

  /** Resolves when all that was discarded before the call is freed. */
  finish(): Promise<void> {
    this.#again = true;
    this.#running ??= this.#run().finally(() => {
      this.#running = undefined;
      // Somebody may have asked between the last look of the run and now, and waits for this run.
      return this.#again ? this.finish() : undefined;
    });
    return this.#running;
  }

  /** Resolves when no run is under way, whatever came of it. */
  async idle(): Promise<void> {
    await this.#running?.catch(() => undefined);
  }

  async #run(): Promise<void> {
    while (this.#again) {
      this.#again = false;
      await this.#reclaim();
    }
  }
}
