const LINE_END = 0x0a;
const SPACE = 0x20;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const EQUALS = 0x3d;
const LETTER_M = 0x6d;

/**
 * The text of a file of the kernel, as the bytes that were read: reading and parsing figures of a thousand groups a
 * second leaves no time to make strings. The bytes are good until the next file is read into the same buffer.
 */
export class FileText {
  bytes: Uint8Array;
  length: number;

  constructor(bytes: Uint8Array, length = bytes.length) {
    this.bytes = bytes;
    this.length = length;
  }

  /** For tests and for what is read seldom. */
  static of(text: string): FileText {
    return new FileText(Buffer.from(text, 'latin1'));
  }

  toString(): string {
    return Buffer.from(this.bytes.buffer, this.bytes.byteOffset, this.length).toString('latin1');
  }
}

/** Reads the number that a text begins with; "max", what is below 0, and what no machine can reach, is -1. */
export function parseFirstNumber({ bytes, length }: FileText): number {
  return bytes[0] === LETTER_M || bytes[0] === MINUS ? -1 : reachable(digitsAt(bytes, 0, length));
}

/** Keys of lines "key value", as {@link parseKeys} wants them. */
export type Keys = readonly Uint8Array[];

export function keysOf(...names: string[]): Keys {
  return names.map((name) => Buffer.from(name, 'latin1'));
}

/**
 * Reads lines "key value" (flat keyed files of cgroup-v2.rst; version 1 has the same).
 *
 * @returns The values in the order of the keys; 0 for a key that this kernel does not have.
 */
export function parseKeys({ bytes, length }: FileText, keys: Keys): number[] {
  const values = new Array<number>(keys.length).fill(0);
  for (let at = 0, found = 0; at < length && found < keys.length;) {
    let end = at;
    while (end < length && bytes[end] !== SPACE && bytes[end] !== LINE_END) end += 1;
    for (let index = 0; index < keys.length; index += 1) {
      const key = keys[index] as Uint8Array;
      if (key.length !== end - at || !matches(bytes, at, key)) continue;
      values[index] = reachable(digitsAt(bytes, end + 1, length));
      found += 1;
      break;
    }
    while (end < length && bytes[end] !== LINE_END) end += 1;
    at = end + 1;
  }
  return values;
}

/** Reads the numbers after the equal signs of one line, "some avg10=0.12 total=34" for example. */
export function parseAssigned({ bytes, length }: FileText, from: number): number[] {
  const values: number[] = [];
  for (let at = from; at < length && bytes[at] !== LINE_END; at += 1) {
    if (bytes[at] === EQUALS) values.push(decimalAt(bytes, at + 1, length));
  }
  return values;
}

/** Position after the end of the line; the length of the text on the last one. */
export function nextLine({ bytes, length }: FileText, from: number): number {
  const end = bytes.indexOf(LINE_END, from);
  return end === -1 || end >= length ? length : end + 1;
}

function matches(bytes: Uint8Array, at: number, key: Uint8Array): boolean {
  for (let index = 0; index < key.length; index += 1) {
    if (bytes[at + index] !== key[index]) return false;
  }
  return true;
}

function reachable(value: number): number {
  return value > Number.MAX_SAFE_INTEGER ? -1 : value;
}

function digitsAt(bytes: Uint8Array, from: number, length: number): number {
  let value = 0;
  for (let at = from; at < length; at += 1) {
    const digit = (bytes[at] as number) - ZERO;
    if (digit < 0 || digit > 9) break;
    value = value * 10 + digit;
  }
  return value;
}

function decimalAt(bytes: Uint8Array, from: number, length: number): number {
  let value = 0;
  let divisor = 0;
  for (let at = from; at < length; at += 1) {
    const byte = bytes[at] as number;
    const digit = byte - ZERO;
    if (byte === POINT) divisor = 1;
    else if (digit < 0 || digit > 9) break;
    else {
      value = value * 10 + digit;
      divisor *= 10;
    }
  }
  return divisor > 1 ? value / divisor : value;
}
