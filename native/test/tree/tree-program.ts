import { spawnSync } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const native = fileURLToPath(new URL('../../', import.meta.url));

/** What teu-tree printed, and how it ended. */
export interface Answer {
  readonly status: number | null;
  readonly lines: string[];
  readonly stderr: string;
}

/** Runs teu-tree. */
export type TreeProgram = (...args: string[]) => Answer;

/** The program, or the one built with sanitizers. */
export function treeProgram(kind: 'plain' | 'sanitized'): TreeProgram {
  const target = kind === 'plain' ? 'build/teu-tree' : 'dist/asan/teu-tree';
  // Test files run side by side, and make does not expect to.
  const make = ['make', '-s', '-j2', '-f', 'src/tree/rules.mk', target];
  const made = spawnSync('flock', ['src/tree/rules.mk', ...make], {
    cwd: native,
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(`${target} cannot be built: ${made.stderr}`);
  return (...args) => {
    const run = spawnSync(join(native, target), args, { encoding: 'utf8', maxBuffer: 64 << 20 });
    return { status: run.status, lines: run.stdout.split('\n').slice(0, -1), stderr: run.stderr };
  };
}

/** A directory for one test. rm(1) removes it, because a tree in it can be deeper than a path can say. */
export function temporaryDirectory(): { readonly path: string } & Disposable {
  const path = mkdtempSync(join(tmpdir(), 'teu-tree-'));
  return { path, [Symbol.dispose]: () => void spawnSync('rm', ['-rf', '--', path]) };
}
