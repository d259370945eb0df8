import { installRoot } from '@teu/config';
import { spawn, type ChildProcessByStdio } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import type { TreeLine, TreeOperation } from './tree-operation.js';

/** Debian's, and no other that a PATH may have in front of it. */
const PYTHON = '/usr/bin/python3';

/** An operation on a tree that failed. */
export class TreeError extends Error {
  override readonly name = 'TreeError';
  /** Name of the error, for example "EROFS". */
  readonly code: string;

  constructor(code: string, operation: TreeOperation) {
    super(`${code} at ${JSON.stringify(operation)}`);
    this.code = code;
  }
}

/** How a program ended. */
export interface CommandEnd {
  readonly code: number;
  readonly stderr: string;
}

interface Answer {
  readonly ended?: CommandEnd;
  readonly lines?: TreeLine[];
  readonly told?: unknown[];
  readonly error?: { readonly code: string; readonly operation: TreeOperation };
}

/**
 * A program that changes and lists trees, for as long as a suite takes: one process instead of one
 * per call, and none of the code that is under test.
 */
export class TreeProgram {
  readonly #child: ChildProcessByStdio<Writable, Readable, null>;
  readonly #waiting: ((answer: Answer | undefined) => void)[] = [];
  #hasEnded = false;

  constructor() {
    const program = join(installRoot(), 'libs/snapshot-conformance/src/tree-program.py');
    this.#child = spawn(PYTHON, ['-I', '-X', 'utf8', program], {
      stdio: ['pipe', 'pipe', 'inherit'],
    });
    this.#child.stdin.on('error', () => undefined);
    const lines = createInterface(this.#child.stdout);
    lines.on('line', (line) => this.#waiting.shift()?.(JSON.parse(line) as Answer));
    const end = (): void => {
      this.#hasEnded = true;
      this.#waiting.splice(0).forEach((tell) => tell(undefined));
    };
    lines.on('close', end);
    this.#child.on('error', end);
  }

  /**
   * Changes a tree. Gives what each operation has to tell.
   *
   * @throws TreeError at the first that fails
   */
  async run(root: string, operations: readonly TreeOperation[]): Promise<unknown[]> {
    const { told, error } = await this.#ask({ root, operations });
    if (error !== undefined) throw new TreeError(error.code, error.operation);
    return told ?? [];
  }

  /** Lists a tree, in the order of paths. @param xattrs - Whether extended attributes are in it */
  async list(root: string, { xattrs }: { xattrs: boolean }): Promise<TreeLine[]> {
    const { lines } = await this.#ask({ root, list: { xattrs } });
    return lines ?? [];
  }

  /**
   * Runs a program to its end. A small process starts others faster than one with all that Node and a
   * test runner hold.
   */
  async execute(program: string, args: readonly string[]): Promise<CommandEnd> {
    const { ended } = await this.#ask({ command: [program, ...args] });
    return ended ?? { code: -1, stderr: '' };
  }

  /** Ends the program. */
  async close(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.stdin.end();
    await ended;
  }

  #exchange(request: object): Promise<Answer | undefined> {
    const answer = new Promise<Answer | undefined>((resolve) => this.#waiting.push(resolve));
    this.#child.stdin.write(`${JSON.stringify(request)}\n`);
    return answer;
  }

  async #ask(request: object): Promise<Answer> {
    const given = this.#hasEnded ? undefined : await this.#exchange(request);
    if (given === undefined) throw new Error(`tree-program.py has ended; it needs ${PYTHON}`);
    return given;
  }
}
