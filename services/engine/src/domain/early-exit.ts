import type { ContainerProcess } from '@teu/proto/executor';

/**
 * Takes the news of a program's end while its start is under way: the end may be told before the start is answered,
 * and is then recorded together with it.
 */
export class EarlyExit {
  #process: ContainerProcess | undefined;

  /** The program has ended. */
  offer(process: ContainerProcess): void {
    this.#process = process;
  }

  /** The end of the program with this pid, if it is known by now. */
  of(pid: number): ContainerProcess | undefined {
    return this.#process?.pid === pid ? this.#process : undefined;
  }
}
