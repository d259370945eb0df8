import type { StartPhase, StartTrace } from '@teu/proto/engine';
import type { LaunchTrace } from '@teu/proto/executor';
import { durationFromMs, msFromDuration } from './durations.js';

/** Clock of a start: notes when its phases begin and how long they take. */
export class StartClock {
  readonly #begin = performance.now();
  readonly #phases: StartPhase[] = [];

  /** Times one phase; also notes it if it fails. */
  async phase<T>(name: string, task: () => Promise<T> | T): Promise<T> {
    const begin = performance.now();
    try {
      return await task();
    } finally {
      this.#add(name, begin - this.#begin, performance.now() - begin);
    }
  }

  #lingerMs = 0;

  /** Times a phase that does not wait. */
  phaseSync<T>(name: string, task: () => T): T {
    const begin = performance.now();
    try {
      return task();
    } finally {
      this.#add(name, begin - this.#begin, performance.now() - begin);
    }
  }

  /**
   * Adds what the executor says of its launch. It tells durations only; its phases follow each other, so they are
   * laid end to end from the begin of the launch phase.
   */
  addLaunch(trace: LaunchTrace | undefined): void {
    const launch = this.#phases.find((phase) => phase.name === 'launch');
    if (trace === undefined || launch === undefined) return;
    let offset = msFromDuration(launch.offsetDuration) ?? 0;
    for (const phase of trace.phases) {
      const elapsed = msFromDuration(phase.elapsedDuration) ?? 0;
      if (phase.name === 'linger') {
        // The program ran already; only the answer waited for its end.
        this.#lingerMs = elapsed;
        const answered = msFromDuration(launch.elapsedDuration) ?? 0;
        launch.elapsedDuration = durationFromMs(answered - elapsed);
        continue;
      }
      this.#add(`launch.${phase.name}`, offset, elapsed);
      offset += elapsed;
    }
  }

  /** What was noted up to now. */
  finish(): StartTrace {
    return {
      totalDuration: durationFromMs(performance.now() - this.#begin - this.#lingerMs),
      phases: [...this.#phases],
    };
  }

  #add(name: string, offsetMs: number, elapsedMs: number): void {
    this.#phases.push({
      name,
      offsetDuration: durationFromMs(offsetMs),
      elapsedDuration: durationFromMs(elapsedMs),
    });
  }
}
