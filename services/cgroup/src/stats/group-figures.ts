import { clock } from '@teu/ids';
import type { Stats } from '@teu/proto/cgroup';
import type { Duration } from '@teu/proto/google';
import { isCalm } from '../domain/pressure-stats.js';
import { FigureParts, type FigureDirectories } from './figure-parts.js';
import { LimitsAbove } from './limits-above.js';
import type { OpenFiles } from './open-files.js';
import { SpreadSpan } from './spread-span.js';

/** After so long everything is read again. */
const quietMs = new SpreadSpan(5_000, 10_000);

/**
 * The figures of one group, read again and again. A group in which nothing ran since the reading before, and whose
 * memory did not change, has the figures that it had: two files tell that instead of twenty. What others can change
 * without either (the kernel writes pages out late, somebody else sets limits) is seen within 10 s.
 */
export class GroupFigures {
  readonly #parts: FigureParts;
  #last: Stats | undefined;
  readonly #quietMs: number;
  #lastFullMs = 0;
  #isQuiet = false;

  constructor(directories: FigureDirectories, files: OpenFiles, above = new LimitsAbove(files)) {
    this.#parts = new FigureParts(directories, files, above);
    this.#quietMs = quietMs.next();
  }

  /** @throws GroupGone; then {@link close} it */
  read(): Stats {
    const nowMs = clock.monotonicMs();
    const before = this.#last;
    if (before !== undefined && this.#isUnchanged(before, nowMs)) {
      this.#last = { ...before, readTime: clock.now() };
      // Averages fall while nothing happens.
      if (!isCalm(before.pressure)) this.#last.pressure = this.#parts.pressure();
      return this.#last;
    }
    const stats = this.#readAll();
    this.#isQuiet = before !== undefined && didNothing(before, stats);
    this.#lastFullMs = nowMs;
    this.#last = stats;
    return stats;
  }

  close(): void {
    this.#parts.close();
    this.#last = undefined;
  }

  #isUnchanged({ cpu, memory }: Stats, nowMs: number): boolean {
    if (!this.#isQuiet || nowMs - this.#lastFullMs >= this.#quietMs) return false;
    return (
      sameDuration(cpu?.usageDuration, this.#parts.cpuUsage()) &&
      memory?.usageBytes === this.#parts.memoryUsage()
    );
  }

  #readAll(): Stats {
    const parts = this.#parts;
    return {
      readTime: clock.now(),
      cpu: parts.cpu(),
      memory: parts.memory(),
      pids: parts.pids(),
      io: parts.io(),
      pressure: parts.pressure(),
    };
  }
}

/** Whether nothing ran between two readings and memory is the same. Not known of a host that does not measure both. */
function didNothing(before: Stats, after: Stats): boolean {
  if (after.cpu === undefined || after.memory === undefined) return false;
  return (
    sameDuration(before.cpu?.usageDuration, after.cpu.usageDuration) &&
    before.memory?.usageBytes === after.memory.usageBytes
  );
}

function sameDuration(a: Duration | undefined, b: Duration | undefined): boolean {
  return a !== undefined && b !== undefined && a.seconds === b.seconds && a.nanos === b.nanos;
}
