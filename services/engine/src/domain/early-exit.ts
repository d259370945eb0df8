import type { ContainerProcess } from '@teu/proto/executor';

/**
 * Takes the news of a program's end while its start is under way: the end may be told before the start is answered,
 * and a program that ends at once is recorded with one transaction instead of two.
 */
export class EarlyExit {
  #process: ContainerProcess | undefined;
  #wake: (() => void) | undefined;

  /** The program has ended. */
  offer(process: ContainerProcess): void {
    this.#process = process;
    this.#wake?.();
  }

  /** The end of the program with this pid, if it is known now or within this time. */
  async take(pid: number, waitMs: number): Promise<ContainerProcess | undefined> {
    if (this.#process === undefined && waitMs > 0) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, waitMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    return this.#process?.pid === pid ? this.#process : undefined;
  }
}
