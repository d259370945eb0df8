import { expect, test } from 'vitest';
import {
  parseBytes,
  parseBytesOrUnlimited,
  parseCpus,
  parseTime,
  parseWholeNumber,
} from './quantities.js';

test('sizes are read as docker reads them', () => {
  const sizes: [string, number][] = [
    ['64m', 64 * 1024 * 1024],
    ['64MB', 64 * 1024 * 1024],
    ['1GiB', 1024 ** 3],
    ['1.5g', 1.5 * 1024 ** 3],
    ['512k', 512 * 1024],
    ['100b', 100],
    ['100', 100],
    ['0', 0],
  ];
  for (const [text, bytes] of sizes) expect(parseBytes(text, '--memory'), text).toBe(bytes);
});

test('what is no size is refused', () => {
  for (const text of ['', 'm', '-1', '64x', '64mm', '1e3', '9999999999g', 'NaN']) {
    expect(() => parseBytes(text, '--memory'), text).toThrow('invalid size');
  }
  expect(parseBytesOrUnlimited('-1', '--memory-swap')).toBe(-1);
});

test('CPUs become a quota of the period', () => {
  expect(parseCpus('0.5', '--cpus')).toBe(50_000);
  expect(parseCpus('2', '--cpus')).toBe(200_000);
  expect(parseCpus('.25', '--cpus')).toBe(25_000);
  for (const text of ['0', '-1', 'two', '1e2', '']) {
    expect(() => parseCpus(text, '--cpus'), text).toThrow('number of CPUs');
  }
});

test('whole numbers keep to their range', () => {
  expect(parseWholeNumber('-1', '--pids-limit', -1, 10)).toBe(-1);
  for (const text of ['-2', '11', '1.5', '0x1', '']) {
    expect(() => parseWholeNumber(text, '--pids-limit', -1, 10), text).toThrow('--pids-limit');
  }
});

test('times are absolute, in seconds, or ago', () => {
  const now = new Date('2026-02-01T12:00:00Z');
  const times: [string, string][] = [
    ['2026-01-31T12:00:00Z', '2026-01-31T12:00:00.000Z'],
    ['1769860800', '2026-01-31T12:00:00.000Z'],
    ['10m', '2026-02-01T11:50:00.000Z'],
    ['1h30m', '2026-02-01T10:30:00.000Z'],
    ['1.5s', '2026-02-01T11:59:58.500Z'],
  ];
  for (const [text, time] of times) {
    expect(parseTime(text, '--since', now).toISOString(), text).toBe(time);
  }
  for (const text of ['yesterday', '', '10', '10x'].filter((item) => item !== '10')) {
    expect(() => parseTime(text, '--since', now), text).toThrow('invalid time');
  }
});
