import { expect, test } from 'vitest';
import { parsePressureThresholds, parseShare } from './threshold-parsers.js';

test('thresholds of pressure', () => {
  expect(parsePressureThresholds('memory=20, io=100')).toEqual({ memory: 20, io: 100, cpu: 0 });
  expect(parsePressureThresholds('cpu=0')).toEqual({ memory: 0, io: 0, cpu: 0 });
  for (const text of [
    '',
    'memory',
    'memory=101',
    'memory=-1',
    'disk=1',
    'memory=1;io=2',
    'io=1.5',
  ]) {
    expect(() => parsePressureThresholds(text), text).toThrow('expected');
  }
});

test('shares', () => {
  expect(['0', '1', '0.5', '.25', '1.0'].map(parseShare)).toEqual([0, 1, 0.5, 0.25, 1]);
  for (const text of ['', '-1', '1.1', '2', '50%', '1e-1', 'x']) {
    expect(() => parseShare(text), text).toThrow('expected');
  }
});
