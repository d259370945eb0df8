import { execFileSync, spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const native = fileURLToPath(new URL('../../', import.meta.url));
const END_TIMEOUT_MS = 20_000;
const POLL_MS = 10;

/** Builds teu-union, or the one with sanitizers, and tells where it is. */
export function unionProgram(kind: 'plain' | 'sanitized'): string {
  const target = kind === 'plain' ? 'build/teu-union' : 'dist/asan/teu-union';
  // Test files run side by side, and make does not expect to.
  const make = ['make', '-s', '-j2', '-f', 'src/union/rules.mk', target];
  const made = spawnSync('flock', ['src/union/rules.mk', ...make], {
    cwd: native,
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(`${target} cannot be built: ${made.stderr}`);
  return join(native, target);
}

/** Whether unions can be mounted here. */
export function canMountUnions(): boolean {
  return process.getuid?.() === 0 && existsSync('/dev/fuse');
}

/** Runs a script that lies beside the tests. */
export function python(script: string, ...args: string[]): string {
  const path = fileURLToPath(new URL(script, import.meta.url));
  const run = spawnSync('/usr/bin/python3', [path, ...args], { encoding: 'utf8' });
  return `${run.stdout}${run.stderr}`;
}

/** Runs lines of Python with arguments. */
export function pythonLines(lines: string, ...args: string[]): string {
  return execFileSync('/usr/bin/python3', ['-c', lines, ...args], { encoding: 'utf8' }).trim();
}

/** A file with its parents. */
export function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

/** Directories for one test, with a union of them. Nothing of it is left afterwards. */
export class TestUnion implements AsyncDisposable {
  readonly path = mkdtempSync(join(tmpdir(), 'teu-union-'));
  readonly root = this.at('mounted');
  readonly #socket = this.at('control');
  readonly #log = this.at('sanitizer');

  readonly #program: string;

  constructor(program: string) {
    this.#program = program;
    for (const name of ['mounted', 'rw', 'top', 'base', 'other']) mkdirSync(this.at(name));
  }

  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** Branches as `NAME=PERM`, below the directory of the test. */
  mount(...branches: string[]): this {
    const options = branches.flatMap((branch) => ['--branch', this.at(branch)]);
    const args = ['mount', '--mount-point', this.root, '--control', this.#socket, ...options];
    const run = this.#start(args);
    if (run.stdout !== 'ready\n') throw new Error(run.stderr);
    return this;
  }

  /** Runs it without a mount; gives what it prints. */
  run(...args: string[]): string {
    const run = this.#start(args);
    return `${run.stdout}${run.stderr}`;
  }

  /** What the control socket answers, without the number of the request. */
  async ask(request: string): Promise<string> {
    const connection = createConnection(this.#socket);
    connection.write(`7 ${request}\n`);
    let answer = '';
    for await (const data of connection.setEncoding('utf8')) {
      answer += data as string;
      if (answer.endsWith('\n')) break;
    }
    return answer.trim().replace(/^7 /, '');
  }

  async stat(): Promise<Record<string, number>> {
    const words = (await this.ask('stat')).split(' ').slice(1);
    return Object.fromEntries(
      words.map((word) => [word.split('=')[0] ?? '', Number(word.split('=')[1])]),
    );
  }

  /** Unmounts, and waits for the end of the process, which removes its socket. */
  async unmount(): Promise<void> {
    if (!this.#isMounted()) return;
    execFileSync('umount', [this.root]);
    for (let waited = 0; existsSync(this.#socket); waited += POLL_MS) {
      if (waited > END_TIMEOUT_MS) throw new Error('the process does not end');
      await delay(POLL_MS);
    }
  }

  /** Id of the process that serves the mount. */
  async pid(): Promise<number> {
    return (await this.stat())['pid'] ?? 0;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.unmount();
      const found = spawnSync('sh', ['-c', `cat ${this.#log}*`], { encoding: 'utf8' }).stdout;
      if (found !== '') throw new Error(found);
    } finally {
      spawnSync('umount', ['--lazy', '--quiet', this.root]);
      spawnSync('rm', ['-rf', '--one-file-system', '--', this.path]);
    }
  }

  #isMounted(): boolean {
    return readFileSync('/proc/self/mounts', 'utf8').includes(` ${this.root} fuse.aufs `);
  }

  #start(args: readonly string[]): SpawnSyncReturns<string> {
    const log = `log_path=${this.#log}`;
    const sanitizers = [`ASAN_OPTIONS=${log}:detect_leaks=0`, `UBSAN_OPTIONS=${log}`];
    return spawnSync('env', [...sanitizers, this.#program, ...args], { encoding: 'utf8' });
  }
}
