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

/** Reads a share, 0 to 1. */
export function parseShare(text: string): number {
  const share = /^(0|1|0?\.\d{1,6}|1\.0+)$/.test(text) ? Number(text) : NaN;
  if (Number.isNaN(share)) throw new Error('expected a share from 0 to 1, such as 0.5');
  return share;
}
