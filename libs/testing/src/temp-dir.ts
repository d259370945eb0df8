import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mountPointsUnder } from './mount-table.js';

/** A directory of its own for a test. `using dir = tempDir()` removes it at the end of the block. */
export interface TempDir extends Disposable {
  readonly path: string;
  /** Unmounts what is mounted in it and removes it. Twice is no error. */
  remove(): void;
}

/**
 * Makes a directory with a short name, so that sockets in it fit into 108 bytes (unix(7)).
 * @param parent where; the system's directory for such things if absent
 */
export function tempDir(parent = tmpdir()): TempDir {
  const path = mkdtempSync(join(parent, 'teu-'));
  const remove = (): void => removeTree(path);
  return { path, remove, [Symbol.dispose]: remove };
}

/** Unmounts what is mounted under a directory, the innermost first, and removes the directory. */
export function removeTree(path: string): void {
  for (const mountPoint of mountPointsUnder(path).reverse()) {
    spawnSync('umount', ['--lazy', mountPoint]);
  }
  rmSync(path, { recursive: true, force: true });
}
