import { uptime } from 'node:os';
import { clock } from '@teu/ids';

/** What the ledger measures time by. */
export interface LedgerClock {
  /**
   * Milliseconds since the boot of the machine (CLOCK_BOOTTIME, clock_gettime(2)). Nobody sets it, it goes on while the
   * host is suspended, and moments of an earlier process of the same boot can be compared.
   */
  bootMs(): number;
  /** Milliseconds since 1970. Somebody may set it at any time. */
  wallMs(): number;
}

/** Clocks of the machine that a boot clock is made of, in milliseconds. */
export interface ClockSources {
  readonly monotonicMs: () => number;
  readonly wallMs: () => number;
  /** To the hundredth of a second (/proc/uptime). */
  readonly uptimeMs: () => number;
}

/** Milliseconds of CLOCK_MONOTONIC (clock_gettime(2)), which stands still while the host is suspended. */
export function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6;
}

const MACHINE: ClockSources = {
  monotonicMs,
  wallMs: () => clock.now().getTime(),
  uptimeMs: () => uptime() * 1000,
};

/** The wall clock has gone another way than the monotonic one if they are so far apart since the last look. */
const PARTED_MS = 20;

/**
 * CLOCK_BOOTTIME, which Node does not give: CLOCK_MONOTONIC and how long the host was suspended. That is looked up only when
 * the wall clock has left the monotonic one, as it does over each suspension; it is right to 10 ms, and exact until the first.
 */
export class BootClock implements LedgerClock {
  readonly #sources: ClockSources;
  #wallAheadMs = -Infinity;
  #suspendedMs = 0;

  constructor(sources = MACHINE) {
    this.#sources = sources;
  }

  bootMs(): number {
    const { monotonicMs, wallMs, uptimeMs } = this.#sources;
    const wallAheadMs = wallMs() - monotonicMs();
    if (Math.abs(wallAheadMs - this.#wallAheadMs) > PARTED_MS) {
      this.#wallAheadMs = wallAheadMs;
      const uptime = uptimeMs();
      // Rounded down and taken before the other, so it was at least so long.
      this.#suspendedMs = Math.max(this.#suspendedMs, uptime - monotonicMs());
    }
    return monotonicMs() + this.#suspendedMs;
  }

  wallMs(): number {
    return this.#sources.wallMs();
  }
}
