import { spawn, type ChildProcessWithoutNullStreams } from 'node:child_process';
import { once } from 'node:events';
import { nativeBinary } from '@teu/config';
import { waitFor } from '@teu/testing';

/** Often: what is to happen while notifications rest has 20 ms for it. */
const PATIENCE = { timeoutMs: 20_000, intervalMs: 1 };

/** teu-cgroup-watch, run on directories that stand for hierarchies. */
export class WatchedDirectories {
  readonly #child: ChildProcessWithoutNullStreams;
  readonly #lines: string[] = [];

  /** @param command - What runs the program, with its arguments; the program alone if not given. */
  constructor(args: readonly string[], command: readonly string[] = []) {
    const program = nativeBinary('teu-cgroup-watch');
    const [file = program, ...words] = command;
    const all = command.length === 0 ? args : [...words, program, ...args];
    this.#child = spawn(file, all, { stdio: 'pipe' });
    let rest = '';
    this.#child.stdout.setEncoding('utf8').on('data', (text: string) => {
      const lines = (rest + text).split('\n');
      rest = lines.pop() ?? '';
      this.#lines.push(...lines);
    });
  }

  /** Its process. */
  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** What it has said of a kind, by itself, oldest first. */
  said(kind: string): string[] {
    return this.#lines.filter((line) => line.startsWith(`0 ${kind}`));
  }

  /** Asks for something and waits until it is answered. */
  async ask(id: number, ...words: readonly (string | number)[]): Promise<string> {
    this.#child.stdin.write(`${id} ${words.join(' ')}\n`);
    const find = (): string | undefined => this.#lines.find((line) => line.startsWith(`${id} `));
    await waitFor(() => find() !== undefined, PATIENCE);
    return find() ?? '';
  }

  /** Waits until it has said so much of a kind. */
  async hear(kind: string, count = 1): Promise<string[]> {
    await waitFor(() => this.said(kind).length >= count, PATIENCE);
    return this.said(kind);
  }

  async close(): Promise<void> {
    const closed = once(this.#child, 'close');
    this.#child.stdin.end();
    await closed;
  }
}
