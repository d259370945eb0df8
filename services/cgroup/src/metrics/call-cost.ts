/** How often something was done, and how long it took in all. */
export class CallCost {
  #count = 0;
  #busyMs = 0;

  get count(): number {
    return this.#count;
  }

  get busyMs(): number {
    return this.#busyMs;
  }

  /** Does it, and measures it, also if it fails. */
  measure<T>(work: () => T): T {
    const begin = performance.now();
    try {
      return work();
    } finally {
      this.#count += 1;
      this.#busyMs += performance.now() - begin;
    }
  }
}
