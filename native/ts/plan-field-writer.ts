import { ByteWriter } from './byte-writer.js';

const MAX_U32 = 2 ** 32 - 1;
const MAX_U64 = 2n ** 64n - 1n;
const MIN_I64 = -(2n ** 63n);

/** Writes typed fields and refuses, with the field's path, whatever is not exactly of the declared type. */
export class PlanFieldWriter {
  readonly bytes = new ByteWriter();

  u32(path: string, value: number): void {
    if (!Number.isInteger(value) || value < 0 || value > MAX_U32) {
      throw refused(path, 'an integer from 0 to 2^32-1', value);
    }
    this.bytes.u32(value);
  }

  i32(path: string, value: number): void {
    if (!Number.isInteger(value) || value < -(2 ** 31) || value >= 2 ** 31) {
      throw refused(path, 'a 32-bit integer', value);
    }
    this.bytes.u32(value >>> 0);
  }

  u64(path: string, value: bigint): void {
    if (typeof value !== 'bigint' || value < 0n || value > MAX_U64) {
      throw refused(path, 'a bigint from 0 to 2^64-1', value);
    }
    this.bytes.u64(value);
  }

  i64(path: string, value: bigint): void {
    if (typeof value !== 'bigint' || value < MIN_I64 || value >= -MIN_I64) {
      throw refused(path, 'a 64-bit bigint', value);
    }
    this.bytes.u64(value);
  }

  flag(path: string, value: boolean): void {
    if (typeof value !== 'boolean') throw refused(path, 'a boolean', value);
    this.bytes.u32(value ? 1 : 0);
  }

  text(path: string, value: string): void {
    if (typeof value !== 'string') throw refused(path, 'a string', value);
    if (value.includes('\0')) throw new TypeError(`${path} contains a NUL`);
    this.bytes.text(value);
  }

  blob(path: string, value: Uint8Array): void {
    if (!(value instanceof Uint8Array)) throw refused(path, 'a Uint8Array', value);
    this.bytes.bytes(value);
  }

  /** One of a closed set, by its index. */
  choice<T extends string>(path: string, value: T, choices: readonly T[]): void {
    const index = choices.indexOf(value);
    if (index === -1) throw refused(path, `one of ${choices.join(', ')}`, value);
    this.bytes.u32(index);
  }

  list<T>(path: string, values: readonly T[], write: (itemPath: string, item: T) => void): void {
    if (!Array.isArray(values)) throw refused(path, 'an array', values);
    this.bytes.u32(values.length);
    values.forEach((item: T, index) => {
      write(`${path}[${index}]`, item);
    });
  }

  texts(path: string, values: readonly string[]): void {
    this.list(path, values, (itemPath, item) => this.text(itemPath, item));
  }

  /** 0 for null; 1 and the value otherwise. */
  optional<T>(path: string, value: T | null, write: (path: string, value: T) => void): void {
    if (value === undefined) throw refused(path, 'a value or null', value);
    this.bytes.u32(value === null ? 0 : 1);
    if (value !== null) write(path, value);
  }
}

function refused(path: string, expected: string, value: unknown): TypeError {
  const shown = typeof value === 'object' && value !== null ? 'an object' : String(value);
  return new TypeError(`${path} must be ${expected}, not ${shown}`);
}
