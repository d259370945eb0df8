import { describe, expect, it } from 'vitest';
import { parseSignal, signalName } from './signals.js';

describe('parseSignal', () => {
  it.each([
    ['15', 15],
    ['TERM', 15],
    ['sigterm', 15],
    ['SIGIOT', 6],
    ['CLD', 17],
    ['RTMIN', 34],
    ['SIGRTMIN+30', 64],
    ['RTMAX', 64],
    ['RTMAX-1', 63],
    ['64', 64],
  ])('reads %s', (text, number) => {
    expect(parseSignal(text)).toBe(number);
  });

  it.each([
    '',
    '0',
    '65',
    '-1',
    '+9',
    ' 9',
    '0x9',
    'SIG',
    'SIGSIGTERM',
    'RTMIN+31',
    'RTMIN-1',
    'toString',
  ])('refuses %j', (text) => {
    expect(parseSignal(text)).toBeUndefined();
  });
});

describe('signalName', () => {
  it('is undone by parseSignal for every signal that has a name', () => {
    for (let number = 1; number <= 64; number += 1) {
      const name = signalName(number);
      if (number === 32 || number === 33) expect(name).toBeUndefined();
      else expect(parseSignal(name ?? '')).toBe(number);
    }
  });
});
