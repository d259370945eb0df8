/**
 * Lets one task at a time through, in order of arrival. Each container has one: what is done to a container is
 * done in some single order, and whoever comes later sees the state that the earlier ones left.
 */
export class Mutex {
  #tail: Promise<unknown> = Promise.resolve();
  #waiting = 0;

  /** Runs a task when all earlier ones have ended, also if those failed. */
  run<T>(task: () => Promise<T> | T): Promise<T> {
    this.#waiting += 1;
    const result = this.#tail.then(task);
    this.#tail = result.then(
      () => this.#leave(),
      () => this.#leave(),
    );
    return result;
  }

  /** True while a task runs or waits. */
  get busy(): boolean {
    return this.#waiting > 0;
  }

  #leave(): void {
    this.#waiting -= 1;
  }
}
