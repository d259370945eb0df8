import { expect, it } from 'vitest';
import { figureFiles } from '../testing/figure-files.js';
import { isCalm, pressureStats } from './pressure-stats.js';

const CALM = 'some avg10=0.00 avg60=0.00 avg300=0.00 total=0\n';

it('reads who waited, and who waited all together', () => {
  const files = figureFiles({
    'cpu.pressure':
      'some avg10=12.34 avg60=1.05 avg300=0.20 total=3000001\nfull avg10=1.00 avg60=0.10 avg300=100.00 total=17\n',
    'memory.pressure': CALM,
  });
  const pressure = pressureStats(files);
  expect(pressure?.cpu).toEqual({
    some: { avg10: 12.34, avg60: 1.05, avg300: 0.2, totalDuration: { seconds: 3, nanos: 1000 } },
    full: { avg10: 1, avg60: 0.1, avg300: 100, totalDuration: { seconds: 0, nanos: 17_000 } },
  });
  // Of cpu there is no second line before Linux 5.13.
  expect(pressure?.memory?.some?.avg10).toBe(0);
  expect(pressure?.memory?.full).toBeUndefined();
  expect(pressure?.io).toBeUndefined();
});

it('is absent where the kernel does not tell', () => {
  expect(pressureStats(figureFiles({}))).toBeUndefined();
});

it('is calm when no average is above zero', () => {
  const calm = pressureStats(figureFiles({ 'io.pressure': CALM + CALM }));
  expect(isCalm(calm)).toBe(true);
  expect(isCalm(undefined)).toBe(true);
  const fading = CALM + CALM.replace('avg300=0.00', 'avg300=0.01');
  expect(isCalm(pressureStats(figureFiles({ 'io.pressure': fading })))).toBe(false);
});
