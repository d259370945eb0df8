import { OutputStream } from '@teu/proto/executor';
import { afterEach, expect, test, vi } from 'vitest';
import { ActivityLine } from './activity-line.js';
import { memorySize, shorten, storedSize, timeSpan } from './for-people.js';
import { LineStamps, rfc3339Nano } from './line-stamps.js';
import { formatTable } from './table.js';

test('columns are as wide as their widest cell, and lines end without blanks', () => {
  expect(
    formatTable(
      ['ID', 'NAME'],
      [
        ['1', 'a'],
        ['12345', ''],
      ],
    ),
  ).toBe('ID      NAME\n1       a\n12345\n');
  expect(formatTable(['ID', 'NAME'], [])).toBe('ID   NAME\n');
});

test('what others have named cannot command the terminal', () => {
  expect(formatTable(['COMMAND'], [['"sh \u001b]0;title\u0007\u202e"']])).toBe(
    'COMMAND\n"sh \\u001b]0;title\\u0007\\u202e"\n',
  );
});

test('sizes and spans are for people', () => {
  expect(storedSize(0)).toBe('0B');
  expect(storedSize(4_260_000)).toBe('4.26MB');
  expect(memorySize(64 * 1024 * 1024)).toBe('64 MiB');
  const spans: [number, string][] = [
    [500, 'Less than a second'],
    [1000, '1 second'],
    [59_000, '59 seconds'],
    [90_000, 'About a minute'],
    [180_000, '3 minutes'],
    [3_700_000, 'About an hour'],
    [7_200_000, '2 hours'],
    [86_400_000 * 3, '3 days'],
    [86_400_000 * 21, '3 weeks'],
    [86_400_000 * 100, '3 months'],
    [86_400_000 * 1000, '2 years'],
  ];
  for (const [milliseconds, text] of spans) expect(timeSpan(milliseconds)).toBe(text);
  expect(shorten('sleep 1000', 6)).toBe('sleep…');
});

test('a time comes before each line, also of one that came in pieces', () => {
  const stamps = new LineStamps();
  const record = (text: string, stream: 1 | 2 = 1) => ({
    offset: 0,
    nextOffset: 0,
    unixMicros: 1_769_860_800_000_000,
    stream: stream === 1 ? OutputStream.OUTPUT_STREAM_STDOUT : OutputStream.OUTPUT_STREAM_STDERR,
    data: Buffer.from(text),
  });
  const time = '2026-01-31T12:00:00.000000000Z';
  expect(rfc3339Nano(1_769_860_800_000_000)).toBe(time);
  const text = [record('one\ntw'), record('err\n', 2), record('o\n')]
    .map((item) => Buffer.from(stamps.stamp(item)).toString())
    .join('|');
  expect(text).toBe(`${time} one\n${time} tw|${time} err\n|o\n`);
});

afterEach(() => {
  vi.useRealTimers();
});

test.each([true, false])(
  'that something goes on is shown on a terminal alone: %s',
  async (isTerminal) => {
    vi.useFakeTimers();
    let written = '';
    const output = {
      isTerminal,
      write: (data: string | Uint8Array) => {
        written += String(data);
        return Promise.resolve();
      },
    };
    const activity = new ActivityLine(output, 'Checking overlay2');
    await vi.advanceTimersByTimeAsync(2500);
    await activity.end();
    await vi.advanceTimersByTimeAsync(5000);
    const line = String.raw`\r\u001b\[K`;
    const shown = new RegExp(`^(${line}Checking overlay2 \\([\\w ]+\\)){2}${line}$`);
    expect(written).toMatch(isTerminal ? shown : /^$/);
  },
);
