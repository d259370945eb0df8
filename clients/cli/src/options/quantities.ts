import { UsageError } from '../cli-error.js';

const units: Readonly<Record<string, number>> = {
  '': 1,
  b: 1,
  k: 1024,
  m: 1024 ** 2,
  g: 1024 ** 3,
  t: 1024 ** 4,
  p: 1024 ** 5,
};

/**
 * Bytes of a size as docker writes it: "64m", "1.5g", "512kb", "1GiB", or plain bytes.
 * @param option name for the error
 */
export function parseBytes(text: string, option: string): number {
  const match = /^(\d+(?:\.\d+)?)\s?([kmgtp]?)(?:i?b)?$/i.exec(text.trim());
  const unit = units[match?.[2]?.toLowerCase() ?? ''];
  const bytes = Math.floor(Number(match?.[1]) * (unit ?? Number.NaN));
  if (!Number.isSafeInteger(bytes)) {
    throw new UsageError(
      `invalid size "${text}" for ${option}`,
      'sizes are a number and b, k, m or g, for example 64m',
    );
  }
  return bytes;
}

/** Bytes of a size, or -1 for no limit. */
export function parseBytesOrUnlimited(text: string, option: string): number {
  return text.trim() === '-1' ? -1 : parseBytes(text, option);
}

/** A whole number in a range. */
export function parseWholeNumber(text: string, option: string, min: number, max: number): number {
  const value = Number(text);
  if (/^-?\d+$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(
    `invalid value "${text}" for ${option}: it must be a whole number from ${String(min)} to ${String(max)}`,
  );
}

/** Length of the period that CPU limits count in, in microseconds. */
export const cpuPeriodMicroseconds = 100_000;

/** Microseconds of CPU time per period for a number of CPUs such as "1.5". */
export function parseCpus(text: string, option: string): number {
  const cpus = Number(text);
  // The kernel's smallest quota is one millisecond.
  if (/^\d*\.?\d+$/.test(text) && cpus >= 0.01 && cpus <= 100_000) {
    return Math.round(cpus * cpuPeriodMicroseconds);
  }
  throw new UsageError(
    `invalid number of CPUs "${text}" for ${option}`,
    'it is a number such as 0.5 or 2, at least 0.01',
  );
}

const secondsPerUnit: Readonly<Record<string, number>> = {
  ms: 0.001,
  s: 1,
  m: 60,
  h: 3600,
  d: 86_400,
};

/**
 * A point in time: RFC 3339, seconds since 1970, or how long ago ("10m", "1h30m").
 * @param now the present
 */
export function parseTime(text: string, option: string, now: Date): Date {
  if (/^\d+(\.\d+)?$/.test(text)) return new Date(Number(text) * 1000);
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  if (parts.length > 0 && parts.map(([part]) => part).join('') === text) {
    const seconds = parts.reduce(
      (sum, [, count, unit]) => sum + Number(count) * (secondsPerUnit[unit ?? ''] ?? 0),
      0,
    );
    return new Date(now.getTime() - seconds * 1000);
  }
  const time = new Date(text);
  if (/^\d{4}-/.test(text) && !Number.isNaN(time.getTime())) return time;
  throw new UsageError(
    `invalid time "${text}" for ${option}`,
    'it is a time such as 2026-01-31T12:00:00Z, or how long ago, such as 10m',
  );
}

/**
 * Milliseconds of a span of time: "500ms", "2s", "1m", or a number of seconds.
 * @param option name for the error
 */
export function parseSpan(text: string, option: string, minMs: number, maxMs: number): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)?$/.exec(text);
  const ms = Math.round(Number(match?.[1]) * (secondsPerUnit[match?.[2] ?? 's'] ?? 1) * 1000);
  if (ms >= minMs && ms <= maxMs) return ms;
  throw new UsageError(
    `invalid span of time "${text}" for ${option}`,
    `it is a number and ms, s, m or h, for example 500ms; at least ${String(minMs)}ms`,
  );
}
