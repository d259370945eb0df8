import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MS_BIND = 4096;
const native = fileURLToPath(new URL('../../', import.meta.url));

/** What teu-graft printed, and how it ended. */
export interface Answer {
  readonly status: number | null;
  /** "added /etc/passwd". */
  readonly changes: string[];
  /** Its last line. */
  readonly result: Record<string, unknown>;
}

/** The program, or the one built with sanitizers. */
export function graftProgram(kind: 'plain' | 'sanitized'): string {
  return build('graft', kind === 'plain' ? 'build/teu-graft' : 'dist/asan/teu-graft');
}

/** teu-tree, whose listings tell whether two trees are the same. */
export function treeProgram(): string {
  return build('tree', 'build/teu-tree');
}

function build(name: string, target: string): string {
  // Test files run side by side, and make does not expect to.
  const rules = `src/${name}/rules.mk`;
  const made = spawnSync('flock', [rules, 'make', '-s', '-j2', '-f', rules, target], {
    cwd: native,
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(`${target} cannot be built: ${made.stderr}`);
  return join(native, target);
}

/** Directories "old", "changed" and "new" of one test. */
export class Trees implements Disposable {
  readonly path = mkdtempSync(join(tmpdir(), 'teu-graft-'));
  readonly #program: string;
  readonly #mounts = new Map<string, string[]>();

  constructor(program: string) {
    this.#program = program;
    for (const name of ['cage', 'old', 'changed', 'new']) mkdirSync(this.at(name));
    for (const name of ['old', 'changed', 'new']) {
      this.#mounts.set(name, ['bind', this.at(name), '', String(MS_BIND), '']);
    }
  }

  at(...names: string[]): string {
    return join(this.path, ...names);
  }

  /** Runs a shell command, by default in the directory of a tree. It must succeed. */
  sh(command: string, directory = ''): string {
    const ran = spawnSync('bash', ['-ec', command], { cwd: this.at(directory), encoding: 'utf8' });
    if (ran.status !== 0) throw new Error(`${command}: ${ran.stderr}`);
    return ran.stdout;
  }

  /** From now on a tree is an overlay with its upper directory on another tree of this test. */
  overlay(name: string, lower: string): void {
    this.sh(`mkdir -p ${name}.work`);
    const directories = [this.at(lower), this.at(name), this.at(`${name}.work`)];
    const [lowerdir = '', upperdir = '', workdir = ''] = directories;
    const data = `lowerdir=${lowerdir},upperdir=${upperdir},workdir=${workdir},index=off`;
    this.#mounts.set(name, ['overlay', 'overlay', '', '0', data]);
  }

  /** Runs a shell command in a tree as it is mounted. */
  inside(name: string, command: string): string {
    const [type = '', source = '', , , data = ''] = this.#mounts.get(name) ?? [];
    const mount =
      type === 'bind' ? `mount --bind ${source}` : `mount -t ${type} -o ${data} ${type}`;
    this.sh('mkdir -p look');
    return this.sh(
      `unshare -m bash -ec '${mount} look && cd look && eval "$0"' "$COMMAND"`.replace(
        '"$COMMAND"',
        `'${command.replaceAll("'", `'\\''`)}'`,
      ),
    );
  }

  run(command: string, names: readonly string[], ...options: string[]): Answer {
    const trees = names.flatMap((name) => [
      '--tree',
      name,
      '--mount',
      ...(this.#mounts.get(name) ?? []),
    ]);
    const args = [command, '--cage', this.at('cage'), ...options, ...trees];
    // LeakSanitizer traces the process, which the cage forbids.
    const env = { ASAN_OPTIONS: 'detect_leaks=0' };
    const ran = spawnSync(this.#program, args, { encoding: 'utf8', env, maxBuffer: 64 << 20 });
    if (ran.error) throw ran.error;
    const lines = ran.stdout.split('\n').slice(0, -1);
    const parse = (line: string) => JSON.parse(line) as Record<string, unknown>;
    const result = parse(lines.pop() ?? JSON.stringify({ stderr: ran.stderr }));
    const changes = lines.map(parse).map(({ kind, path }) => `${String(kind)} ${String(path)}`);
    return { status: ran.status, changes, result };
  }

  compare(...options: string[]): string[] {
    const { status, changes, result } = this.run('compare', ['old', 'changed'], ...options);
    if (status !== 0) throw new Error(JSON.stringify(result));
    return changes;
  }

  /** Gives the number of names that were changed. */
  transplant(...options: string[]): number {
    const answer = this.run('transplant', ['old', 'changed', 'new'], ...options);
    if (answer.status !== 0) throw new Error(JSON.stringify(answer.result));
    return Number(answer.result['changed']);
  }

  /** rm(1) removes it, because a tree in it can be deeper than a path can say. */
  [Symbol.dispose](): void {
    spawnSync('rm', ['-rf', '--', this.path]);
  }
}
