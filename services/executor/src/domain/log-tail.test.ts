import type { LogRecord } from '@teu/native';
import { describe, expect, it } from 'vitest';
import { tailOfLog } from './log-tail.js';

async function* records(...texts: string[]): AsyncGenerator<LogRecord> {
  let offset = 0n;
  for (const text of texts) {
    const data = Buffer.from(text);
    const nextOffset = offset + BigInt(data.length);
    yield { offset, nextOffset, timeNs: 0n, stream: 'stdout', gap: false, data };
    offset = nextOffset;
  }
}

const tail = async (lines: number, ...texts: string[]) =>
  (await tailOfLog(records(...texts), lines)).map(({ data }) => data.toString()).join('|');

describe('the last lines', () => {
  it.each([
    [1, ['a\nb\nc\n'], 'c\n'],
    [2, ['a\nb\nc\n'], 'b\nc\n'],
    [3, ['a\nb\nc\n'], 'a\nb\nc\n'],
    [9, ['a\nb\nc\n'], 'a\nb\nc\n'],
    [1, ['a\nb\nc'], 'c'],
    [2, ['a\nb', 'b\nc'], 'b|b\nc'],
    [1, ['a\n', 'b\n', 'c\n'], 'c\n'],
    [2, ['a\n', 'b\n', 'c\n'], 'b\n|c\n'],
    [1, ['aa', 'aa', 'a\n'], 'aa|aa|a\n'],
    [1, ['x\naa', 'aa', 'a\n'], 'aa|aa|a\n'],
    [2, ['\n\n\n'], '\n\n'],
    [0, ['a\n'], ''],
    [1, [], ''],
  ])('%i of %j', async (lines, texts, expected) => {
    expect(await tail(lines, ...texts)).toBe(expected);
  });

  it('are those that a plain split finds, however the text is cut', async () => {
    const text = Array.from({ length: 40 }, (_, index) => 'x'.repeat(index % 5)).join('\n');
    for (const size of [1, 2, 3, 7, 100]) {
      const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? [];
      for (const lines of [1, 2, 5, 39, 40, 41]) {
        const expected = text.split('\n').slice(-lines).join('\n');
        expect((await tail(lines, ...pieces)).replaceAll('|', '')).toBe(expected);
      }
    }
  });
});
