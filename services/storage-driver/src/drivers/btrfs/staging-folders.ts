import { mkdirSync, readdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';

/** As many as teu-btrfs has threads: more than that are not made at the same time. */
const FOLDERS = 8;

/**
 * Where snapshots are made before they are renamed to their places: `s0` to `s7` in the directory of
 * the driver. The kernel makes one snapshot in a directory at a time, and lets those in others share
 * a transaction.
 */
export class StagingFolders {
  readonly #root: string;

  constructor(root: string) {
    this.#root = root;
    for (const folder of folders()) mkdirSync(join(root, folder), { recursive: true, mode: 0o700 });
  }

  /** Name for the snapshot of an id, as teu-btrfs wants it. */
  nameOf(id: number): string {
    return `s${id % FOLDERS}/${id.toString(36)}`;
  }

  /**
   * Puts in its place what a crash or power cut left here. It is whole, and more than that: a power
   * cut can undo the rename of a snapshot whose content a container has made durable meanwhile.
   *
   * @param layers - Path of the directory of the places.
   * @param aside - Path of the directory for what finds its place taken.
   */
  publish(layers: string, aside: string): void {
    for (const folder of folders()) {
      for (const name of readdirSync(join(this.#root, folder))) {
        const isTaken = readdirSync(layers).includes(name);
        const target = isTaken ? join(aside, `${name}.${folder}`) : join(layers, name);
        renameSync(join(this.#root, folder, name), target);
      }
    }
  }
}

function folders(): string[] {
  return Array.from({ length: FOLDERS }, (_, index) => `s${index}`);
}
