import { uptime } from 'node:os';
import { expect, test } from 'vitest';
import { BootClock } from './boot-clock.js';

const YEAR_MS = 365 * 24 * 3_600_000;

/** A machine that is suspended and whose clock is set as one likes. */
class Machine {
  monotonic = 5_000.25;
  wall = 1_000_000;
  suspended = 0;

  readonly clock = new BootClock({
    monotonicMs: () => this.monotonic,
    wallMs: () => Math.floor(this.wall),
    uptimeMs: () => Math.floor((this.monotonic + this.suspended) / 10) * 10,
  });

  pass(ms: number): void {
    this.monotonic += ms;
    this.wall += ms;
  }

  suspend(ms: number): void {
    this.suspended += ms;
    this.wall += ms;
  }
}

test('it is the monotonic clock on a machine that was never suspended, whatever is set', () => {
  const machine = new Machine();
  for (const step of [0, YEAR_MS, -2 * YEAR_MS, 15, -15]) {
    machine.wall += step;
    machine.pass(1.5);
    expect(machine.clock.bootMs()).toBe(machine.monotonic);
  }
});

test('it goes on while the machine is suspended, to the hundredth of a second', () => {
  const machine = new Machine();
  machine.suspend(60_000);
  expect(machine.clock.bootMs() - machine.monotonic - 60_000).toBeGreaterThan(-10);
  machine.pass(2_000);
  machine.clock.bootMs();
  machine.suspend(3_600_000);
  const ahead = machine.clock.bootMs() - machine.monotonic - 3_660_000;
  expect(ahead).toBeGreaterThan(-10);
  expect(ahead).toBeLessThanOrEqual(0);
});

test('it never goes back', () => {
  const machine = new Machine();
  let before = 0;
  for (let round = 0; round < 1_000; round += 1) {
    if (round % 7 === 0) machine.suspend(round * 1.3);
    if (round % 11 === 0) machine.wall += (round % 2 === 0 ? 1 : -1) * YEAR_MS;
    machine.pass(0.7);
    const now = machine.clock.bootMs();
    expect(now).toBeGreaterThan(before);
    before = now;
  }
});

test('it is that of this machine', () => {
  const before = uptime() * 1000;
  const now = new BootClock().bootMs();
  expect(now).toBeGreaterThan(before - 10);
  expect(now).toBeLessThan(uptime() * 1000 + 20);
});
