import { monotonicMs } from './boot-clock.js';

/** Something that is to be looked at now and then. */
export interface Sampled {
  /** Looks. Gives the milliseconds until the next time; undefined for never again. */
  sample(): number | undefined;
}

/** Length of one step, and with that the shortest time between two looks. */
export const STEP_MS = 10;
/** Steps of one turn; nothing is planned further ahead. */
const STEP_COUNT = 128;
/** After a pause so long, it does not matter when a look is: it is one with others, in every fifth step. */
const LONG_STEPS = 20;
const LONG_STRIDE = 5;

/**
 * Looks at many things, each at its own pace, with one timer. What is due in the same step is looked at together;
 * steps in which nothing is due cost nothing.
 */
export class SampleWheel {
  readonly #steps: Set<Sampled>[] = Array.from({ length: STEP_COUNT }, () => new Set());
  readonly #stepOf = new Map<Sampled, Set<Sampled>>();
  readonly #onError: (error: unknown) => void;
  #timer: NodeJS.Timeout | undefined;
  /** Step that the timer waits for. */
  #awaited = Infinity;
  /** Step up to which all has been looked at. */
  #done = currentStep();

  /** @param onError told what a look throws; it is not looked at again then */
  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Plans the next look at something, in place of the one that was planned. */
  plan(item: Sampled, afterMs: number): void {
    this.remove(item);
    if (this.#stepOf.size === 0) this.#done = currentStep();
    const ahead = Math.min(Math.max(Math.ceil(afterMs / STEP_MS), 1), STEP_COUNT - LONG_STRIDE);
    const number = meetingStep(currentStep() + ahead, ahead);
    const step = this.#steps[number % STEP_COUNT];
    if (step === undefined) return;
    step.add(item);
    this.#stepOf.set(item, step);
    if (number < this.#awaited) this.#await(number);
  }

  remove(item: Sampled): void {
    this.#stepOf.get(item)?.delete(item);
    this.#stepOf.delete(item);
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#stepOf.clear();
    for (const step of this.#steps) step.clear();
  }

  #await(step: number): void {
    clearTimeout(this.#timer);
    this.#awaited = step;
    const delayMs = Math.max(Math.ceil(step * STEP_MS - monotonicMs()), 0);
    this.#timer = setTimeout(() => this.#turn(), delayMs);
  }

  /** Looks at all that is due; after a long pause of the process once at everything. */
  #turn(): void {
    const now = currentStep();
    // What is planned meanwhile waits until this turn is over.
    this.#awaited = 0;
    const first = Math.max(this.#done + 1, now - STEP_COUNT + 1);
    this.#done = now;
    for (let step = first; step <= now; step += 1) {
      const due = this.#steps[step % STEP_COUNT];
      for (const item of [...(due ?? [])]) this.#look(item);
    }
    this.#awaited = Infinity;
    for (let step = now + 1; step <= now + STEP_COUNT; step += 1) {
      if ((this.#steps[step % STEP_COUNT]?.size ?? 0) === 0) continue;
      this.#await(step);
      return;
    }
  }

  #look(item: Sampled): void {
    this.remove(item);
    try {
      const next = item.sample();
      if (next !== undefined) this.plan(item, next);
    } catch (error) {
      this.#onError(error);
    }
  }
}

function currentStep(): number {
  return Math.floor(monotonicMs() / STEP_MS);
}

/** The step in which something is looked at that may be from `step` on. */
function meetingStep(step: number, ahead: number): number {
  return ahead < LONG_STEPS ? step : Math.ceil(step / LONG_STRIDE) * LONG_STRIDE;
}
