import { spawnSync, type SpawnSyncReturns } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const MS_BIND = 4096;

/** How trees stand on each other: as an overlay's, or as copies. */
export type Form = 'overlays' | 'copies';

/** What teu-layer printed last, and how it ended. */
export interface Answer {
  readonly status: number | null;
  readonly result: Record<string, unknown>;
}

/** Directories "old", "changed" and "applied" of one test; the last two begin as "old". */
export class ProducedTrees implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'teu-produce-'));
  readonly #program: string;
  readonly #mounts = new Map<string, string[]>();

  constructor(program: string) {
    this.#program = program;
    for (const name of ['cage', 'look', 'old', 'changed', 'applied']) mkdirSync(this.at(name));
    for (const name of ['old', 'changed', 'applied']) {
      this.#mounts.set(name, ['bind', this.at(name), '', String(MS_BIND), '']);
    }
  }

  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** Runs a shell command, by default in the directory of a tree. It must succeed. */
  sh(command: string, directory = '', ...args: string[]): string {
    const ran = spawnSync('bash', ['-ec', command, ...args], {
      cwd: this.at(directory),
      encoding: 'utf8',
      maxBuffer: 64 << 20,
    });
    if (ran.status !== 0) throw new Error(`${command}: ${ran.stderr}`);
    return ran.stdout;
  }

  /** The old tree is there; the others begin with what it has. */
  standOnOld(form: Form): void {
    for (const name of ['changed', 'applied']) {
      if (form === 'copies') {
        this.sh(`cp -a old/. ${name}`);
        continue;
      }
      this.sh(`mkdir ${name}.work`);
      const directories = `upperdir=${this.at(name)},workdir=${this.at(`${name}.work`)}`;
      const data = `lowerdir=${this.at('old')},${directories},index=off`;
      this.#mounts.set(name, ['overlay', 'overlay', '', '0', data]);
    }
  }

  /** Runs a shell command in a tree as it is mounted. */
  inside(name: string, command: string): string {
    const [type = '', source = '', , , data = ''] = this.#mounts.get(name) ?? [];
    const mount =
      type === 'bind' ? `mount --bind ${source}` : `mount -t ${type} -o ${data} ${type}`;
    const script = `${mount} look && cd look && eval "$0"`;
    return this.sh(`unshare -m bash -ec '${script}' "$0"`, '', command);
  }

  /** Makes a layer of what is changed, or a tar of all that is there. */
  produce(names: readonly string[], ...options: string[]): Answer & { tar: string } {
    const tar = this.at(`made-${options.join('').replaceAll('/', '')}.tar`);
    const trees = names.flatMap((name) => [
      '--tree',
      name,
      '--mount',
      ...(this.#mounts.get(name) ?? []),
    ]);
    const args = ['produce', '--output-fd', '3', '--cage', this.at('cage'), ...trees, ...options];
    return { ...this.#run(args, openSync(tar, 'w')), tar };
  }

  apply(tar: string): Answer {
    const mount = ['--mount', ...(this.#mounts.get('applied') ?? [])];
    const args = ['apply', '--blob-fd', '3', '--cage', this.at('cage'), ...mount];
    return this.#run(args, openSync(tar, 'r'));
  }

  #run(args: string[], fd: number): Answer {
    let ran: SpawnSyncReturns<string>;
    try {
      // LeakSanitizer traces the process, which the cage forbids.
      const env = { ASAN_OPTIONS: 'detect_leaks=0' };
      const stdio = ['ignore', 'pipe', 'pipe', fd] as const;
      ran = spawnSync(this.#program, args, { encoding: 'utf8', env, stdio: [...stdio] });
    } finally {
      closeSync(fd);
    }
    const line = ran.stdout.trim().split('\n').at(-1) ?? '';
    if (line === '') throw new Error(`teu-layer said nothing: ${ran.stderr}`);
    return { status: ran.status, result: JSON.parse(line) as Record<string, unknown> };
  }

  /** rm(1) removes it, because a tree in it can be deeper than a path can say. */
  [Symbol.dispose](): void {
    spawnSync('rm', ['-rf', '--', this.path]);
  }
}
