import { openStore } from '@teu/state';
import { tempDir } from '@teu/testing';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import type { BootClock } from '../domain/boot-clock.js';
import { createLeaseTable } from './lease-table.js';
import { IMAGE_MIGRATIONS } from './schema.js';

const HOUR = 3_600_000;

/** A host whose clocks a test sets. */
function host() {
  using own = tempDir();
  const store = openStore({ path: join(own.path, 'state.db'), migrations: IMAGE_MIGRATIONS });
  const times = { bootId: 'first', boot: 1000, wall: 1_700_000_000_000 };
  const clocks: BootClock = {
    get bootId() {
      return times.bootId;
    },
    bootMs: () => times.boot,
    wallMs: () => times.wall,
  };
  const open = () => createLeaseTable(store, clocks);
  const pass = (ms: number): void => {
    times.boot += ms;
    times.wall += ms;
  };
  const reboot = (ms: number): void => {
    Object.assign(times, { bootId: `${times.bootId}+`, boot: 10, wall: times.wall + ms });
  };
  return { open, pass, reboot, times };
}

const lease = { id: 'l', holder: 'somebody', digests: ['sha256:a'], ttlMs: HOUR };

it('ends when its time is over, and not before', () => {
  const { open, pass } = host();
  const leases = open();
  leases.insert(lease);
  pass(HOUR - 1);
  expect([leases.holderOf('sha256:a'), leases.untilNextEnd()]).toEqual(['somebody', 1]);
  pass(1);
  expect([leases.holderOf('sha256:a'), leases.find('l'), leases.page('', 9)]).toEqual([
    undefined,
    undefined,
    [],
  ]);
  expect([leases.extend('l', HOUR), leases.release('l')]).toEqual([false, false]);
  expect([leases.dropEnded(), leases.count(), leases.untilNextEnd()]).toEqual([1, 0, undefined]);
});

it.each([-30 * 24 * HOUR, 30 * 24 * HOUR])('does not mind a wall clock set by %d ms', (step) => {
  const { open, pass, times } = host();
  const leases = open();
  leases.insert(lease);
  times.wall += step;
  expect(leases.find('l')?.expireTime.getTime()).toBe(times.wall + HOUR);
  pass(HOUR - 1);
  expect(leases.find('l')).toBeDefined();
  pass(1);
  expect(leases.find('l')).toBeUndefined();
});

it('has after a reboot what the wall clock left of it, and never more than it was given', () => {
  const { open, reboot, pass, times } = host();
  open().insert(lease);
  reboot(HOUR / 2);
  const leases = open();
  expect(leases.untilNextEnd()).toBe(HOUR / 2);
  leases.insert({ ...lease, id: 'm' });
  times.wall -= 100 * HOUR;
  reboot(0);
  const later = open();
  expect(later.untilNextEnd()).toBe(HOUR);
  pass(HOUR);
  reboot(200 * HOUR);
  expect(open().untilNextEnd()).toBe(0);
  expect(open().page('', 9)).toEqual([]);
});

it('can be extended, which counts from now', () => {
  const { open, pass } = host();
  const leases = open();
  leases.insert(lease);
  pass(HOUR / 2);
  expect(leases.extend('l', 2 * HOUR)).toBe(true);
  expect(leases.untilNextEnd()).toBe(2 * HOUR);
  expect(leases.release('l')).toBe(true);
  expect(leases.holderOf('sha256:a')).toBeUndefined();
});
