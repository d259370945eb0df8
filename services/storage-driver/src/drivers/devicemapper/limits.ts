import { mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { writeDurably } from './durable-file.js';

/**
 * The limits of snapshots, a file each, named by the id in base 36. The kernel forgets a limit when the
 * file system is not mounted any more.
 */
export class Limits {
  readonly #directory: string;
  readonly #bytes = new Map<number, number>();

  /** @param root - Directory of the driver. */
  constructor(root: string) {
    this.#directory = join(root, 'limits');
    mkdirSync(this.#directory, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(this.#directory)) {
      const id = Number.parseInt(name, 36);
      const bytes = Number(readFileSync(join(this.#directory, name), 'utf8'));
      if (id.toString(36) === name && Number.isSafeInteger(bytes) && bytes > 0) {
        this.#bytes.set(id, bytes);
      } else {
        rmSync(join(this.#directory, name), { force: true });
      }
    }
  }

  /** Bytes beside the parents; undefined for no limit. */
  get(id: number): number | undefined {
    return this.#bytes.get(id);
  }

  /** Durable when it returns. */
  set(id: number, bytes: number): void {
    writeDurably(this.#path(id), `${bytes}\n`);
    this.#bytes.set(id, bytes);
  }

  delete(id: number): void {
    if (this.#bytes.delete(id)) rmSync(this.#path(id), { force: true });
  }

  ids(): number[] {
    return [...this.#bytes.keys()];
  }

  #path(id: number): string {
    return join(this.#directory, id.toString(36));
  }
}
