import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { ParsedMount } from '@teu/mounts';
import type { Change } from '@teu/proto/image';
import { mountArguments } from './layer-worker.js';
import { parseTreeLine, treeFailure } from './tree-report.js';
import { collect, ended, withoutAnswer } from './worker-process.js';

/** Two trees, of which the second may have been made from the first. */
export interface TreePair {
  /** Undefined for an empty tree. */
  old: ParsedMount[] | undefined;
  changed: ParsedMount[];
  /** Whether the second was made from the first when that had been written; see native/src/graft/README.md. */
  descends: boolean;
}

/** Runs teu-graft: one short-lived program in a cage of its own for each work on trees. */
export interface TreeWorker {
  /** Gives the differences as they are asked for, in order of their paths' bytes. */
  compare(trees: TreePair, signal: AbortSignal): AsyncGenerator<Change, void, undefined>;
  /** Applies the differences to a third tree and syncs it. Gives the number of names that it changed. */
  transplant(trees: TreePair & { target: ParsedMount[] }, signal: AbortSignal): Promise<number>;
}

export function createTreeWorker(options: {
  binary: string;
  /** An empty directory; mounted on only in the workers' own namespaces. */
  cageDirectory: string;
}): TreeWorker {
  const argumentsOf = (command: string, { old, changed, descends }: TreePair): string[] => [
    ...[command, '--cage', options.cageDirectory],
    ...(descends ? ['--descends'] : []),
    ...(old === undefined ? [] : treeArguments('old', old)),
    ...treeArguments('changed', changed),
  ];
  return {
    compare: async function* (trees, signal) {
      for await (const line of run(options.binary, argumentsOf('compare', trees), signal)) {
        if (line.kind === 'change') yield line.change;
      }
    },
    transplant: async (trees, signal) => {
      const args = [...argumentsOf('transplant', trees), ...treeArguments('new', trees.target)];
      let changedCount = 0;
      for await (const line of run(options.binary, args, signal)) {
        if (line.kind === 'done') ({ changedCount } = line);
      }
      return changedCount;
    },
  };
}

function treeArguments(name: string, mounts: readonly ParsedMount[]): string[] {
  return ['--tree', name, ...mounts.flatMap(mountArguments)];
}

/** Gives the lines of the program; it waits while nobody asks for one. It has ended when this returns or throws. */
async function* run(binary: string, args: readonly string[], signal: AbortSignal) {
  signal.throwIfAborted();
  const child = spawn(binary, args, { env: {}, cwd: '/', stdio: ['ignore', 'pipe', 'pipe'] });
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  const end = ended(child);
  // Looked at below; a failed start may come first.
  end.catch(() => undefined);
  const complaint = collect(child.stderr);
  let isDone = false;
  try {
    for await (const text of createInterface({ input: child.stdout })) {
      const line = parseTreeLine(text);
      if (line === undefined) continue;
      if (line.kind === 'failed') throw treeFailure(line.failure);
      isDone ||= line.kind === 'done';
      yield line;
    }
    const outcome = await end;
    signal.throwIfAborted();
    if (outcome.code !== 0 || !isDone) {
      throw withoutAnswer('teu-graft', outcome, await complaint);
    }
  } finally {
    kill();
    signal.removeEventListener('abort', kill);
    // It lets go of the trees before anybody goes on to remove them.
    await end.catch(() => undefined);
  }
}
