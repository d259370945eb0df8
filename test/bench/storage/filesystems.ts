import { mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture } from '../harness/process.js';

/** A mounted file system in a sparse file. */
export interface BenchFilesystem {
  readonly path: string;
  close(): void;
}

const SIZE_BYTES = 24 * 2 ** 30;

/** Makes and mounts one, so that nobody else's work is seen in its figures. */
export function makeFilesystem(directory: string, type: 'ext4' | 'btrfs'): BenchFilesystem {
  mkdirSync(directory, { recursive: true });
  const image = join(directory, 'disk');
  const path = join(directory, 'mounted');
  writeFileSync(image, '');
  truncateSync(image, SIZE_BYTES);
  mkdirSync(path);
  capture(`mkfs.${type}`, ['-q', image]);
  capture('mount', ['-o', 'loop', image, path]);
  return {
    path,
    close: () => {
      capture('umount', ['--recursive', path]);
      rmSync(image);
    },
  };
}
