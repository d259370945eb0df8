import { isAbsolute, resolve } from 'node:path';

/**
 * Reads the text of an environment variable or a flag.
 * @throws Error whose message says what was expected; the caller adds which variable it was.
 */
export type Parser<T> = (text: string) => T;

const DURATION_UNITS_MS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const BYTE_UNITS = { '': 1, B: 1, KiB: 2 ** 10, MiB: 2 ** 20, GiB: 2 ** 30, TiB: 2 ** 40 };

/** Any text that is not empty. */
export const string: Parser<string> = (text) => {
  if (text === '') throw new Error('expected text');
  return text;
};

/** An absolute path; given back without `.`, `..` and a slash at its end. */
export const path: Parser<string> = (text) => {
  if (!isAbsolute(text) || text.includes('\0')) throw new Error('expected an absolute path');
  return resolve(text);
};

/** `500ms`, `10s`, `5m`, `2h`, in milliseconds; a number without a unit is refused except 0. */
export const durationMs: Parser<number> = (text) => {
  const match = /^(\d{1,9})(ms|s|m|h)$/.exec(text);
  if (text === '0') return 0;
  if (match === null) throw new Error('expected a duration such as 500ms, 10s, 5m or 2h');
  return Number(match[1]) * DURATION_UNITS_MS[match[2] as keyof typeof DURATION_UNITS_MS];
};

/** `4096`, `512KiB`, `64MiB`, `2GiB`, in bytes. */
export const bytes: Parser<number> = (text) => {
  const match = /^(\d{1,15})(B|KiB|MiB|GiB|TiB)?$/.exec(text);
  const value =
    match === null
      ? NaN
      : Number(match[1]) * BYTE_UNITS[(match[2] ?? '') as keyof typeof BYTE_UNITS];
  if (!Number.isSafeInteger(value)) throw new Error('expected a size such as 4096, 512KiB or 2GiB');
  return value;
};

/** `true`, `false`, `1` or `0`. */
export const boolean: Parser<boolean> = (text) => {
  if (text === 'true' || text === '1') return true;
  if (text === 'false' || text === '0') return false;
  throw new Error('expected true or false');
};

/** `unix:/absolute/path`, or `host:port` (IPv6 in brackets). */
export const address: Parser<string> = (text) => {
  if (/^unix:\/[^\0]+$/.test(text)) return text;
  const match = /^(?:[a-zA-Z0-9.-]+|\[[0-9a-fA-F:]+\]):(\d{1,5})$/.exec(text);
  if (match === null || Number(match[1]) > 65_535) {
    throw new Error('expected unix:/path or host:port');
  }
  return text;
};

/** A whole number in a range, bounds included. */
export function integer(limits: { min?: number; max?: number } = {}): Parser<number> {
  const { min = 0, max = Number.MAX_SAFE_INTEGER } = limits;
  return (text) => {
    const value = /^-?\d{1,16}$/.test(text) ? Number(text) : NaN;
    if (!Number.isSafeInteger(value) || value < min || value > max) {
      throw new Error(`expected a whole number from ${min} to ${max}`);
    }
    return value;
  };
}

/** One of these texts. */
export function oneOf<const T extends string>(...choices: readonly T[]): Parser<T> {
  return (text) => {
    const choice = choices.find((candidate) => candidate === text);
    if (choice === undefined) throw new Error(`expected one of ${choices.join(', ')}`);
    return choice;
  };
}

/** Values divided by commas; no value for empty text. */
export function listOf<T>(parse: Parser<T>): Parser<T[]> {
  return (text) => (text === '' ? [] : text.split(',').map((part) => parse(part.trim())));
}
