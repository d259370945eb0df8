import { spawnSync } from 'node:child_process';
import { openSync, closeSync } from 'node:fs';
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
  const target = kind === 'plain' ? 'build/teu-tree' : 'build/asan/teu-tree';
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

/** Writes the manifest of a tree, with lines of a header in front. */
export function writeManifest(program: string, tree: string, path: string, header = ''): void {
  const fd = openSync(path, 'w');
  const run = spawnSync(program, ['manifest', tree, '--header'], {
    input: header,
    stdio: ['pipe', fd, 'inherit'],
  });
  closeSync(fd);
  if (run.status !== 0) throw new Error(`teu-tree manifest ended with ${run.status}`);
}
