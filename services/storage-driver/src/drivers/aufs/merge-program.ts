import { runUnion } from './user/union-program.js';
import { UnionError } from './union-backend.js';

/** As long as there is data. */
const MERGE_MS = 14 * 60_000;

/** The program teu-union, for what it does to branches that are not mounted. */
export class MergeProgram {
  readonly #program: string;

  constructor(program: string) {
    this.#program = program;
  }

  /**
   * Puts what is in one branch into the one below it. Can be done again after a crash.
   *
   * @param isLowest - Whether there is nothing below the lower one, so that whiteouts in it mean nothing.
   * @returns How many names were written, changed or removed.
   */
  async merge(upper: string, lower: string, isLowest: boolean): Promise<number> {
    const args = ['merge', upper, lower, ...(isLowest ? ['--lowest'] : [])];
    const output = await runUnion(this.#program, args, { timeoutMs: MERGE_MS });
    const { changed } = JSON.parse(output) as { changed?: number };
    if (typeof changed !== 'number') throw new UnionError('EPROTO', 'merging branches');
    return changed;
  }
}
