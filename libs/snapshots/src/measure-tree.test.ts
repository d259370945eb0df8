import {
  linkSync,
  mkdirSync,
  mkdtempSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { deleteTree } from './delete-tree.js';
import { walkUsage } from './measure-tree.js';

function tempDir(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'teu-walk-'));
  return { path, [Symbol.dispose]: () => rmSync(path, { recursive: true, force: true }) };
}

describe('walking a tree', () => {
  it('counts blocks and inodes, a file with two names once, holes and links not followed', async () => {
    using directory = tempDir();
    const root = join(directory.path, 'tree');
    mkdirSync(join(root, 'sub'), { recursive: true });
    writeFileSync(join(root, 'sub/file'), Buffer.alloc(100_000, 1));
    linkSync(join(root, 'sub/file'), join(root, 'again'));
    symlinkSync('/', join(root, 'soft'));
    writeFileSync(join(root, 'hole'), '');
    truncateSync(join(root, 'hole'), 1 << 30);
    const { bytes, inodes } = await walkUsage(root);
    expect(inodes).toBe(5);
    expect(bytes).toBeGreaterThanOrEqual(100_000);
    expect(bytes).toBeLessThan(130_000);
  });

  it('counts nothing where nothing is, and stops when asked to', async () => {
    using directory = tempDir();
    expect(await walkUsage(join(directory.path, 'none'))).toEqual({ bytes: 0, inodes: 0 });
    for (let index = 0; index < 300; index += 1)
      writeFileSync(join(directory.path, `${index}`), '');
    await expect(walkUsage(directory.path, AbortSignal.abort())).rejects.toThrow();
  });

  it('deletes what is nested deeper than a path can say', async () => {
    using directory = tempDir();
    const start = process.cwd();
    const root = join(directory.path, 'deep');
    mkdirSync(root);
    try {
      process.chdir(root);
      for (let depth = 0; depth < 60; depth += 1) {
        mkdirSync('d'.repeat(100));
        process.chdir('d'.repeat(100));
      }
    } finally {
      process.chdir(start);
    }
    expect((await walkUsage(root)).inodes).toBeGreaterThan(30);
    await deleteTree(root);
    expect((await walkUsage(directory.path)).inodes).toBe(1);
  });
});
