import { UsageError } from '../cli-error.js';
import { nearestName } from './nearest-name.js';

/** What an argument or the value of an option names, for completion. */
export type ArgumentKind =
  | ('containers' | 'running' | 'stopped' | 'images' | 'files' | 'nothing')
  | ('drivers' | 'driver kinds' | 'upgrades' | 'groups');

/** An option of a command. */
export interface OptionSpec {
  /** Long name without dashes. */
  readonly name: string;
  /** One letter. */
  readonly short?: string;
  /** flag: on or off; value: the last one counts; list: may be repeated. */
  readonly kind: 'flag' | 'value' | 'list';
  /** What stands for the value in the help, for example "BYTES". */
  readonly value?: string;
  /** The only values there are. */
  readonly choices?: readonly string[];
  /** Values that it may have among others, for completion. */
  readonly suggestions?: readonly string[];
  /** What its value names. */
  readonly completes?: ArgumentKind;
  readonly doc: string;
}

/** Options as they were given. */
export class ParsedOptions {
  readonly #specs: readonly OptionSpec[];
  readonly #values = new Map<string, string[]>();

  constructor(specs: readonly OptionSpec[]) {
    this.#specs = specs;
  }

  /** Notes one value of an option; used by the parser. */
  add(spec: OptionSpec, value: string): void {
    if (spec.choices !== undefined && !spec.choices.includes(value)) {
      throw new UsageError(
        `invalid value "${value}" for --${spec.name}: it can be ${spec.choices.join(', ')}`,
      );
    }
    const before = spec.kind === 'list' ? (this.#values.get(spec.name) ?? []) : [];
    this.#values.set(spec.name, [...before, value]);
  }

  /** Whether a flag is on; `fallback` if it wasn't given. */
  flag(name: string, fallback = false): boolean {
    const given = this.#valuesOf(name, 'flag').at(-1);
    return given === undefined ? fallback : given === 'true';
  }

  /** Value of an option, undefined if it wasn't given. */
  value(name: string): string | undefined {
    return this.#valuesOf(name, 'value').at(-1);
  }

  /** All values of an option. */
  list(name: string): readonly string[] {
    return this.#valuesOf(name, 'list');
  }

  #valuesOf(name: string, kind: OptionSpec['kind']): readonly string[] {
    if (!this.#specs.some((spec) => spec.name === name && spec.kind === kind)) {
      throw new Error(`the command declares no ${kind} option --${name}`);
    }
    return this.#values.get(name) ?? [];
  }
}

/** What parseOptions returns. */
export interface ParsedLine {
  readonly options: ParsedOptions;
  readonly args: readonly string[];
  /** Whether --help or -h was among the options. */
  readonly help: boolean;
}

/**
 * Takes a command line apart as docker does: `--name value`, `--name=value`, `-n value`, `-nvalue`,
 * flags in one word (`-it`), `--flag=false`, and `--` before what isn't an option.
 * @param optionsFirst whether the first argument ends the options
 * @throws UsageError for an unknown option, with the nearest known one as a hint
 */
export function parseOptions(
  specs: readonly OptionSpec[],
  words: readonly string[],
  optionsFirst = false,
): ParsedLine {
  const line = new LineParser(specs, words);
  while (line.more()) {
    const word = line.next();
    if (word === '--') {
      line.takeRest();
    } else if (word === '-' || !word.startsWith('-')) {
      line.args.push(word);
      if (optionsFirst) line.takeRest();
    } else if (word.startsWith('--')) {
      line.long(word.slice(2));
    } else {
      line.shorts(word.slice(1));
    }
  }
  return { options: line.options, args: line.args, help: line.help };
}

class LineParser {
  readonly options: ParsedOptions;
  readonly args: string[] = [];
  help = false;
  readonly #specs: readonly OptionSpec[];
  readonly #words: readonly string[];
  #index = 0;

  constructor(specs: readonly OptionSpec[], words: readonly string[]) {
    this.#specs = specs;
    this.#words = words;
    this.options = new ParsedOptions(specs);
  }

  more(): boolean {
    return this.#index < this.#words.length;
  }

  next(): string {
    return this.#words[this.#index++] ?? '';
  }

  takeRest(): void {
    this.args.push(...this.#words.slice(this.#index));
    this.#index = this.#words.length;
  }

  long(word: string): void {
    const equals = word.indexOf('=');
    const name = equals < 0 ? word : word.slice(0, equals);
    const inline = equals < 0 ? undefined : word.slice(equals + 1);
    if (name === 'help') {
      this.help = true;
      return;
    }
    const spec = this.#specs.find((candidate) => candidate.name === name);
    if (spec === undefined) throw unknownOption(`--${name}`, this.#specs);
    this.#take(spec, `--${name}`, inline);
  }

  shorts(letters: string): void {
    for (let i = 0; i < letters.length; i++) {
      const letter = letters[i] ?? '';
      const spec = this.#specs.find((candidate) => candidate.short === letter);
      if (spec === undefined) {
        if (letter !== 'h') throw unknownOption(`-${letter}`, this.#specs);
        this.help = true;
        continue;
      }
      const rest = letters.slice(i + 1);
      if (spec.kind === 'flag') {
        if (rest.startsWith('=')) {
          this.#take(spec, `-${letter}`, rest.slice(1));
          return;
        }
        this.options.add(spec, 'true');
        continue;
      }
      this.#take(spec, `-${letter}`, rest === '' ? undefined : rest.replace(/^=/, ''));
      return;
    }
  }

  #take(spec: OptionSpec, shown: string, inline: string | undefined): void {
    if (spec.kind === 'flag') {
      if (inline !== undefined && !['true', 'false'].includes(inline)) {
        throw new UsageError(`invalid value "${inline}" for ${shown}: it can be true or false`);
      }
      this.options.add(spec, inline ?? 'true');
      return;
    }
    if (inline === undefined && !this.more()) {
      throw new UsageError(`option ${shown} needs a value${spec.value ? `: ${spec.value}` : ''}`);
    }
    this.options.add(spec, inline ?? this.next());
  }
}

function unknownOption(word: string, specs: readonly OptionSpec[]): UsageError {
  const near = nearestName(
    word,
    specs.flatMap((spec) => [`--${spec.name}`, ...(spec.short ? [`-${spec.short}`] : [])]),
  );
  return new UsageError(
    `unknown option: ${word}`,
    near === undefined ? undefined : `did you mean ${near}?`,
  );
}
