import { DriverAddress } from '@teu/proto/storage';
import { expect, test } from 'vitest';
import { driverAddress, isSameDriver } from './driver-address.js';

test('a setting names a driver and its socket', () => {
  const expected = { name: 'overlay2', address: 'unix:/run/teu/overlay2.sock' };
  expect(driverAddress('overlay2=unix:/run/teu/overlay2.sock')).toMatchObject(expected);
});

test.each([
  '',
  'overlay2',
  '=unix:/x.sock',
  'a=',
  'a=/x.sock',
  'a=localhost:1',
  'A=unix:/x.sock',
  `a=unix:/${'x'.repeat(107)}`,
])('%j is no setting', (text) => {
  expect(() => driverAddress(text)).toThrow();
});

test('a driver is where it is and what it is asked for, not what it is called', () => {
  const at = (name: string, snapshotter = '', namespace = ''): DriverAddress =>
    DriverAddress.create({ name, address: 'unix:/x.sock', snapshotter, namespace });
  expect(isSameDriver(at('a'), at('a', 'a'))).toBe(true);
  expect(isSameDriver(at('a', 'native'), at('b', 'native'))).toBe(true);
  expect(isSameDriver(at('overlayfs'), at('native'))).toBe(false);
  expect(isSameDriver(at('a', '', 'teu'), at('a'))).toBe(false);
});
