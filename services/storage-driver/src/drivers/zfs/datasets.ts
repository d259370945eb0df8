import { runCommand } from './run-command.js';
import { TaskQueue } from '@teu/snapshots';
import { isZfsFailure } from './zfs-failure.js';

/** Commands take about 10 ms; a pool that is busy or nearly full makes them wait. */
const COMMAND_MS = 30_000;
/** Listing goes through all datasets. */
const LIST_MS = 120_000;
/** Commands that only read, at once. */
const READERS = 8;
/** Setting any property waits until all that was written before is on the disk and counted. */
const SYNC_PROPERTY = 'teu:synced';
const SNAPSHOT = 'committed';

/** Runs a zfs command; `args` are its words. */
export type RunZfs = (...args: string[]) => Promise<string>;

/** The datasets of a driver, by the zfs command. Names are full: "pool/a/b". */
export class Datasets {
  readonly #program: string;
  // zfs-fuse 0.7 answers no file system any more after two were mounted at the same moment.
  readonly #changes = new TaskQueue();

  /** @param program - Absolute path of zfs(8). */
  constructor(program: string) {
    this.#program = program;
  }

  /** Runs what changes something, so that no other change happens meanwhile. */
  change<T>(task: (zfs: RunZfs) => Promise<T>): Promise<T> {
    return this.#changes.run(() => task((...args) => this.#run(args, COMMAND_MS)));
  }

  async create(name: string, properties: readonly string[]): Promise<void> {
    await this.change((zfs) => zfs('create', ...asOptions(properties), name));
  }

  /** Makes a dataset that begins as the committed state of another. */
  async clone(origin: string, name: string, properties: readonly string[]): Promise<void> {
    const words = [...asOptions(properties), `${origin}@${SNAPSHOT}`, name];
    await this.change((zfs) => zfs('clone', ...words));
  }

  /** Makes the state of now the one that clones begin with, and durable. One of before is replaced. */
  async commit(name: string): Promise<void> {
    const snapshot = `${name}@${SNAPSHOT}`;
    await this.change(async (zfs) => {
      try {
        await zfs('snapshot', snapshot);
      } catch (error) {
        if (!isZfsFailure(error, 'exists')) throw error;
        await zfs('destroy', snapshot);
        await zfs('snapshot', snapshot);
      }
    });
  }

  /** Destroys a dataset and its snapshots. Returns whether it is gone, which one in use is not. */
  async destroy(name: string): Promise<boolean> {
    try {
      await this.change((zfs) => zfs('destroy', '-r', name));
      return true;
    } catch (error) {
      if (isZfsFailure(error, 'busy')) return false;
      if (!isZfsFailure(error, 'missing')) throw error;
      return true;
    }
  }

  async set(name: string, property: string, value: string): Promise<void> {
    await this.change((zfs) => zfs('set', `${property}=${value}`, name));
  }

  /** Waits until the numbers of a dataset count all that was written to it. */
  async sync(name: string): Promise<void> {
    try {
      await this.set(name, SYNC_PROPERTY, '1');
    } catch (error) {
      // With no space for a property there is none for data that wait either.
      if (!isZfsFailure(error, 'full')) throw error;
    }
  }

  /** Reads properties of one dataset: numbers in full, "-" or "none" where there is none. */
  async get(name: string, ...properties: string[]): Promise<string[]> {
    const args = ['get', '-Hp', '-o', 'value', properties.join(','), name];
    const values = linesOf(await this.#run(args, COMMAND_MS));
    if (values.length !== properties.length) throw strange('zfs get', values.join('\n'));
    return values;
  }

  /** Reads a number of bytes of each dataset and adds them up; those that are gone count nothing. */
  async sum(names: readonly string[], property: string): Promise<number> {
    let total = 0;
    for (let start = 0; start < names.length; start += READERS) {
      const some = names.slice(start, start + READERS);
      const values = await Promise.all(some.map((name) => this.#bytesIfThere(name, property)));
      total += values.reduce((sum, value) => sum + value, 0);
    }
    return total;
  }

  /** Names of all file systems below one, without it; undefined if there is no such one. */
  async below(name: string): Promise<string[] | undefined> {
    const args = ['list', '-H', '-o', 'name', '-t', 'filesystem', '-r', name];
    try {
      const names = linesOf(await this.#run(args, LIST_MS));
      return names.filter((one) => one !== name);
    } catch (error) {
      if (isZfsFailure(error, 'missing')) return undefined;
      throw error;
    }
  }

  async #bytesIfThere(name: string, property: string): Promise<number> {
    try {
      return bytesOf((await this.get(name, property))[0]);
    } catch (error) {
      if (isZfsFailure(error, 'missing')) return 0;
      throw error;
    }
  }

  #run(args: readonly string[], timeoutMs: number): Promise<string> {
    return runCommand(this.#program, args, { timeoutMs });
  }
}

/** Reads what `zfs get -p` gives for a size. @throws Error if it is no number */
export function bytesOf(text: string | undefined): number {
  const bytes = Number(text);
  if (text === undefined || !/^[0-9]+$/.test(text) || !Number.isSafeInteger(bytes)) {
    throw strange('zfs get', String(text));
  }
  return bytes;
}

function asOptions(properties: readonly string[]): string[] {
  return properties.flatMap((property) => ['-o', property]);
}

function linesOf(text: string): string[] {
  if (text !== '' && !text.endsWith('\n')) throw strange('zfs', text);
  return text.split('\n').slice(0, -1);
}

function strange(command: string, text: string): Error {
  return new Error(`${command} has answered something unknown: ${JSON.stringify(text)}`);
}
