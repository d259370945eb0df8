/**
 * Counts who reads the output of a process. What is left of a process is deleted only when nobody reads it any
 * more: a client that attached to a short-lived container gets all of its output, however slowly it reads.
 */
export class LogReaders {
  readonly #counts = new Map<string, number>();
  readonly #waiters = new Map<string, Set<() => void>>();

  /** Registers a reader of a container's or exec process' output. Gives the way to end that. */
  open(processId: string): () => void {
    this.#counts.set(processId, (this.#counts.get(processId) ?? 0) + 1);
    let closed = false;
    return () => {
      if (closed) return;
      closed = true;
      this.#close(processId);
    };
  }

  /** Waits until nobody reads, or until the time is up. */
  async whenFree(processId: string, timeoutMs?: number): Promise<void> {
    if (!this.#counts.has(processId)) return;
    const waiters = this.#waiters.get(processId) ?? new Set();
    await new Promise<void>((resolve) => {
      this.#waiters.set(processId, waiters.add(resolve));
      if (timeoutMs !== undefined) setTimeout(resolve, timeoutMs).unref();
    });
  }

  #close(processId: string): void {
    const left = (this.#counts.get(processId) ?? 1) - 1;
    if (left > 0) {
      this.#counts.set(processId, left);
      return;
    }
    this.#counts.delete(processId);
    const waiters = this.#waiters.get(processId);
    this.#waiters.delete(processId);
    waiters?.forEach((wake) => wake());
  }
}
