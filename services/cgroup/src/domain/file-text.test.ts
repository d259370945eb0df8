import { describe, expect, it } from 'vitest';
import {
  FileText,
  keysOf,
  nextLine,
  parseAssigned,
  parseFirstNumber,
  parseKeys,
} from './file-text.js';

/** A buffer that was used before: what is behind the text is not of it. */
const text = (content: string): FileText =>
  new FileText(Buffer.from(`${content}123 4\nkey 9`), content.length);

describe('a file of the kernel', () => {
  it.each([
    ['0\n', 0],
    ['4096\n', 4096],
    ['max\n', -1],
    ['-1\n', -1],
    ['9007199254740991\n', 9_007_199_254_740_991],
    ['9223372036854771712\n', -1],
    ['18446744073709551615', -1],
    ['', 0],
  ])('with %j has the number %d', (content, number) => {
    expect(parseFirstNumber(text(content))).toBe(number);
  });

  it('has values by whole keys, in any order', () => {
    const content = 'total_rss_huge 1\nrss 2\ntotal_rss 3\nbroken\n\nlast 18446744073709551615\n';
    const keys = keysOf('last', 'total_rss', 'rss', 'absent', 'key');
    expect(parseKeys(text(content), keys)).toEqual([-1, 3, 2, 0, 0]);
  });

  it('has assigned numbers, line by line', () => {
    const lines = text('some avg10=0.05 avg60=10.00 total=12\nfull avg10=1.5\n');
    expect(parseAssigned(lines, 0)).toEqual([0.05, 10, 12]);
    const second = nextLine(lines, 0);
    expect(parseAssigned(lines, second)).toEqual([1.5]);
    expect(nextLine(lines, second)).toBe(lines.length);
  });

  it('is text again for those who have time', () => {
    expect(text('8:0 Read 1\n').toString()).toBe('8:0 Read 1\n');
  });
});
