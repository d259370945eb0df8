import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const native = fileURLToPath(new URL('../../', import.meta.url));
const DISK_BYTES = 256 << 20;

/** Path of teu-btrfs, or of the one built with sanitizers. */
export function btrfsProgram(kind: 'plain' | 'sanitized'): string {
  const target = kind === 'plain' ? 'build/teu-btrfs' : 'dist/asan/teu-btrfs';
  // Test files run side by side, and make does not expect to.
  const make = ['make', '-s', '-j2', '-f', 'src/btrfs/rules.mk', target];
  const made = spawnSync('flock', ['src/btrfs/rules.mk', ...make], {
    cwd: native,
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(`${target} cannot be built: ${made.stderr}`);
  return join(native, target);
}

/** What the program answered, ordered by the number at the beginning, and how it ended. */
export interface Conversation {
  readonly answers: string[];
  readonly status: number | null;
  readonly stderr: string;
}

/** Sends lines as they are, waits for so many answers, and ends the input. */
export async function converse(
  program: string,
  directory: string,
  text: string | Buffer,
  expected: number,
): Promise<Conversation> {
  const child = spawn(program, [directory], { stdio: 'pipe' });
  let [stdout, stderr] = ['', ''];
  child.stdin.on('error', () => undefined);
  child.stderr.setEncoding('utf8').on('data', (more: string) => (stderr += more));
  child.stdout.setEncoding('utf8').on('data', (more: string) => {
    stdout += more;
    if (stdout.split('\n').length > expected) child.stdin.end();
  });
  child.stdin.write(text);
  if (expected === 0) child.stdin.end();
  const [status] = (await once(child, 'close')) as [number | null];
  const answers = stdout.split('\n').slice(0, -1);
  answers.sort((left, right) => Number.parseInt(left) - Number.parseInt(right));
  return { answers, status, stderr };
}

/** A small btrfs in a file. `using disk = btrfsDisk()` unmounts and removes it. */
export function btrfsDisk(): { readonly path: string } & Disposable {
  const directory = mkdtempSync(join(tmpdir(), 'teu-btrfs-'));
  const [image, path] = [join(directory, 'disk'), join(directory, 'mounted')];
  writeFileSync(image, '');
  truncateSync(image, DISK_BYTES);
  mkdirSync(path);
  run('mkfs.btrfs', '-q', image);
  // A removed subvolume goes after a commit, and those are half a minute apart if nobody says otherwise.
  run('mount', '-o', 'loop,commit=2', image, path);
  return {
    path,
    [Symbol.dispose]: () => {
      spawnSync('umount', ['--lazy', path]);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Whether the kernel has btrfs, and this may mount. */
export function canMountBtrfs(): boolean {
  return process.getuid?.() === 0 && /\bbtrfs$/m.test(readFileSync('/proc/filesystems', 'utf8'));
}

function run(program: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(program, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
