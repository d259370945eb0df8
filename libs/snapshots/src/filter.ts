import type { Info } from '@teu/proto/snapshots';
import { Kind } from '@teu/proto/snapshots';
import { invalid } from './check-input.js';

/** Tells whether a snapshot is wanted. */
export type SnapshotFilter = (info: Info) => boolean;

/**
 * Reads filters in containerd's language (its package filters documents the grammar): conditions
 * joined by commas, all of which must hold; a condition is a field alone (it is set), or a field, one
 * of `==`, `!=`, `~=` (regular expression), and a value. Fields are name, parent, kind and
 * labels.KEY; keys and values may be quoted.
 *
 * @param filters - OR-ed; none, or an empty one, lets all through.
 * @throws INVALID_ARGUMENT naming the filter and the place
 */
export function parseFilters(filters: readonly string[]): SnapshotFilter {
  const parsed = filters.map((text) => parseFilter(text));
  return (info) => parsed.length === 0 || parsed.some((filter) => filter(info));
}

function parseFilter(text: string): SnapshotFilter {
  const reader = new FilterReader(text);
  const conditions: SnapshotFilter[] = [];
  while (!reader.atEnd()) {
    if (conditions.length > 0) reader.expectComma();
    conditions.push(parseCondition(reader));
  }
  return (info) => conditions.every((condition) => condition(info));
}

function parseCondition(reader: FilterReader): SnapshotFilter {
  const path = reader.fieldPath();
  const operator = reader.operator();
  const read = fieldReader(path);
  if (operator === undefined) return (info) => (read(info) ?? '') !== '';
  const value = reader.value(operator === '~=');
  if (operator === '==') return (info) => read(info) === value;
  if (operator === '!=') return (info) => read(info) !== value;
  const pattern = reader.pattern(value);
  return (info) => pattern.test(read(info) ?? '');
}

const KIND_NAMES: Readonly<Record<number, string>> = {
  [Kind.ACTIVE]: 'active',
  [Kind.VIEW]: 'view',
  [Kind.COMMITTED]: 'committed',
};

/** A field that no snapshot has is never set, as in containerd: it is no error to ask for it. */
function fieldReader(path: readonly string[]): (info: Info) => string | undefined {
  const [field, ...rest] = path;
  if (field === 'labels') return (info) => info.labels[rest.join('.')];
  if (rest.length > 0) return () => undefined;
  if (field === 'name') return (info) => info.name;
  if (field === 'parent') return (info) => info.parent;
  if (field === 'kind') return (info) => KIND_NAMES[info.kind];
  return () => undefined;
}

const WORD = /[A-Za-z0-9_][A-Za-z0-9_-]*/y;
const QUOTED = /"(?:[^"\\]|\\.)*"/y;
const OPERATOR = /==|!=|~=/y;
const BARE_VALUE = /[^,\s"]+/y;
const PATTERNS = /\/((?:[^/\\]|\\.)*)\/|\|((?:[^|\\]|\\.)*)\|/y;

/** Reads the parts of one filter from left to right. */
class FilterReader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  expectComma(): void {
    if (this.#text[this.#at] !== ',') throw this.#error('expected a comma');
    this.#at += 1;
  }

  fieldPath(): string[] {
    const path = [this.#fieldPart()];
    while (this.#text[this.#at] === '.') {
      this.#at += 1;
      path.push(this.#fieldPart());
    }
    return path;
  }

  operator(): string | undefined {
    const operator = this.#take(OPERATOR)?.[0];
    if (operator !== undefined || this.atEnd() || this.#text[this.#at] === ',') return operator;
    throw this.#error('expected ==, != or ~=');
  }

  value(isPattern: boolean): string {
    const quoted = this.#take(QUOTED);
    if (quoted !== null) return this.#unquote(quoted[0]);
    const delimited = isPattern ? this.#take(PATTERNS) : null;
    if (delimited !== null) return delimited[1] ?? delimited[2] ?? '';
    const bare = this.#take(BARE_VALUE);
    if (bare === null) throw this.#error('expected a value');
    return bare[0];
  }

  pattern(source: string): RegExp {
    try {
      return new RegExp(source);
    } catch {
      throw this.#error(`"${source}" is not a regular expression`);
    }
  }

  #fieldPart(): string {
    const quoted = this.#take(QUOTED);
    if (quoted !== null) return this.#unquote(quoted[0]);
    const word = this.#take(WORD);
    if (word === null) throw this.#error('expected a field');
    return word[0];
  }

  #take(pattern: RegExp): RegExpExecArray | null {
    pattern.lastIndex = this.#at;
    const match = pattern.exec(this.#text);
    if (match !== null) this.#at = pattern.lastIndex;
    return match;
  }

  #unquote(quoted: string): string {
    try {
      return JSON.parse(quoted) as string;
    } catch {
      throw this.#error(`${quoted} is not a quoted text`);
    }
  }

  #error(what: string): Error {
    const shown = this.#text.slice(0, 200);
    return invalid(
      'filters',
      `filter "${shown}" cannot be read: ${what} at character ${this.#at + 1}`,
    );
  }
}
