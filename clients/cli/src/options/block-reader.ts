import { UsageError } from '../cli-error.js';

/** What a part of a block is read with. */
export type Fields = Omit<BlockReader, 'end'>;

/**
 * Reads an object of JSON field by field, and knows which fields nobody has asked for: those are errors, so that
 * nothing that a block says is ignored.
 */
export class BlockReader {
  readonly #fields: ReadonlyMap<string, unknown>;
  readonly #name: string;
  readonly #asked = new Set<string>();

  private constructor(fields: ReadonlyMap<string, unknown>, name: string) {
    this.#fields = fields;
    this.#name = name;
  }

  /** @throws UsageError if it is no object */
  static of(value: unknown, name: string): BlockReader {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) {
      throw new UsageError(`${name} must be an object`);
    }
    return new BlockReader(new Map(Object.entries(value)), name);
  }

  number(key: string): number | undefined {
    return this.#typed(key, 'a whole number', (value) => Number.isSafeInteger(value)) as
      number | undefined;
  }

  text(key: string): string | undefined {
    return this.#typed(key, 'a string', (value) => typeof value === 'string') as string | undefined;
  }

  truth(key: string): boolean | undefined {
    return this.#typed(key, 'true or false', (value) => typeof value === 'boolean') as
      boolean | undefined;
  }

  /** A number that must be there. */
  need(key: string): number {
    const value = this.number(key);
    if (value === undefined) throw new UsageError(`${this.#name}.${key} is missing`);
    return value;
  }

  object<T>(key: string, read: (fields: Fields) => T): T | undefined {
    const value = this.#take(key);
    return value === undefined ? undefined : readWhole(value, `${this.#name}.${key}`, read);
  }

  objects<T>(key: string, read: (fields: Fields) => T): T[] {
    const values = (this.#typed(key, 'a list', Array.isArray) ?? []) as unknown[];
    return values.map((value, index) => readWhole(value, `${this.#name}.${key}[${index}]`, read));
  }

  /** An object whose values are strings. */
  texts(key: string): Record<string, string> {
    const value = this.#take(key);
    if (value === undefined) return {};
    const entries = BlockReader.of(value, `${this.#name}.${key}`);
    return Object.fromEntries([...entries.#fields.keys()].map((k) => [k, entries.text(k) ?? '']));
  }

  /** Accepts one value of a field, the one that says what TEU does anyway. */
  accept(key: string, accepted: unknown): void {
    const value = this.#take(key);
    if (value === undefined || value === accepted) return;
    throw new UsageError(
      `${this.#name}.${key} is ${JSON.stringify(value)}: TEU has only ${JSON.stringify(accepted)}`,
    );
  }

  /** Refuses fields by name. */
  lacks(...keys: string[]): void {
    for (const key of keys) {
      if (this.#take(key) === undefined) continue;
      throw new UsageError(`${this.#name}.${key} is not something that TEU can limit`);
    }
  }

  /** @throws UsageError if there is a field that nobody has asked for */
  end(): void {
    const unknown = [...this.#fields.keys()].find((key) => !this.#asked.has(key));
    if (unknown === undefined) return;
    throw new UsageError(`${this.#name}.${unknown} is not a field of an OCI resources block`);
  }

  /** Null stands for absent: programs in Go write it. */
  #take(key: string): unknown {
    this.#asked.add(key);
    return this.#fields.get(key) ?? undefined;
  }

  #typed(key: string, what: string, isRight: (value: unknown) => boolean): unknown {
    const value = this.#take(key);
    if (value === undefined || isRight(value)) return value;
    throw new UsageError(`${this.#name}.${key} must be ${what}`);
  }
}

function readWhole<T>(value: unknown, name: string, read: (fields: Fields) => T): T {
  const reader = BlockReader.of(value, name);
  const result = read(reader);
  reader.end();
  return result;
}
