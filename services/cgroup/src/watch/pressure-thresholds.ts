import type { PressureThresholds } from './watch-options.js';

const WHAT = 'expected per cents such as memory=20,io=20,cpu=0';

/** Reads thresholds; what is not named is off. */
export function parsePressureThresholds(text: string): PressureThresholds {
  const thresholds = { memory: 0, io: 0, cpu: 0 };
  for (const part of text.split(',')) {
    const match = /^(memory|io|cpu)=(\d{1,3})$/.exec(part.trim());
    const percent = Number(match?.[2]);
    if (match === null || percent > 100) throw new Error(WHAT);
    thresholds[match[1] as keyof typeof thresholds] = percent;
  }
  return thresholds;
}
