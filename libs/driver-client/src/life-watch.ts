/**
 * When a call that takes long is doubted, and how long the driver then has to say anything at all: together less than
 * the ten seconds after which most clients go away without having heard why.
 */
export const DOUBT_MS = 4_000;

/** Asks now and then, while a call takes long, whether the other side is alive at all. */
export class LifeWatch {
  readonly #isAlive: () => Promise<boolean>;
  readonly #onSilence: () => void;
  #timer: NodeJS.Timeout;
  #ended = false;
  #foundSilence = false;

  /**
   * @param isAlive tells within a deadline of its own
   * @param onSilence called once, when the other side is not alive
   */
  constructor(isAlive: () => Promise<boolean>, onSilence: () => void) {
    this.#isAlive = isAlive;
    this.#onSilence = onSilence;
    this.#timer = this.#askLater();
  }

  get foundSilence(): boolean {
    return this.#foundSilence;
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  #askLater(): NodeJS.Timeout {
    return setTimeout(() => void this.#ask(), DOUBT_MS);
  }

  async #ask(): Promise<void> {
    const alive = await this.#isAlive();
    if (this.#ended) return;
    if (alive) this.#timer = this.#askLater();
    else {
      this.#foundSilence = true;
      this.#onSilence();
    }
  }
}
