import { uptime } from 'node:os';
import { clock } from '@teu/ids';
import { bootId } from '@teu/state';

/** Time that nobody sets: it goes on while the host is suspended, and begins anew with each boot. */
export interface BootClock {
  /** Which boot of the machine this is. */
  readonly bootId: string;
  /** Milliseconds since the boot (CLOCK_BOOTTIME, clock_gettime(2)), to the hundredth of a second. */
  bootMs(): number;
  /** Milliseconds of the wall clock, which may be set at any time. */
  wallMs(): number;
}

/** The machine's clocks. */
export const bootClock: BootClock = {
  get bootId() {
    return bootId();
  },
  bootMs: () => Math.round(uptime() * 1000),
  wallMs: () => clock.now().getTime(),
};
