import { installRoot } from '@teu/config';
import { existsSync, mkdirSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { requires } from './requires.js';
import { runProgram } from './run-program.js';
import { tempDir } from './temp-dir.js';

const MAKE_MS = 600_000;

/**
 * Path of a tar of a whole Debian root file system (bookworm, minbase), made by mmdebstrap once and
 * kept in TEU_CACHE_DIR (/var/cache/teu if not set). Takes about 20 s and 170 MB the first time.
 */
export async function debianRootfsTar(): Promise<string> {
  requires('mmdebstrap');
  const cache = process.env['TEU_CACHE_DIR'] ?? '/var/cache/teu';
  const tar = join(cache, 'debian-bookworm-minbase.tar');
  if (existsSync(tar)) return tar;
  mkdirSync(cache, { recursive: true });
  // flock(1) lets go of the lock whatever happens to the holder; the second one finds the file.
  const script = `test -e "$1" || { mmdebstrap --quiet --variant=minbase bookworm "$1.tmp.tar" && mv "$1.tmp.tar" "$1"; }`;
  await succeed('flock', [`${tar}.lock`, 'sh', '-c', script, 'sh', tar]);
  return tar;
}

/** Directories of a Debian that its programs do without; two thirds of its files are in them. */
const DISPENSABLE = [
  ...['doc', 'info', 'lintian', 'locale', 'man', 'zoneinfo', 'perl', 'bash-completion'].map(
    (name) => `./usr/share/${name}/*`,
  ),
  './usr/lib/*/gconv/*',
];

/** Path of the same without documents, languages and time zones, for tests that look at each of its files often. */
export async function slimDebianRootfsTar(): Promise<string> {
  const whole = await debianRootfsTar();
  const tar = whole.replace(/minbase\.tar$/, 'slim.tar');
  if (existsSync(tar)) return tar;
  const excludes = DISPENSABLE.map((pattern) => `--exclude=${pattern}`);
  using directory = tempDir();
  const tree = directory.path;
  await succeed('tar', ['-C', tree, '--numeric-owner', ...excludes, '-xpf', whole]);
  // Under a name of its own until it is whole: files of tests may want it at the same time.
  const own = `${tar}.${String(process.pid)}`;
  await succeed('tar', ['-C', tree, '--numeric-owner', '--sort=name', '-cf', own, '.']);
  renameSync(own, tar);
  return tar;
}

/** Path of the image that set-up makes of Debian's busybox-static: an OCI layout in a tar. */
export async function busyboxImageTar(): Promise<string> {
  const root = installRoot();
  const tar = join(root, 'dist/images/busybox.tar');
  if (!existsSync(tar)) {
    const script = `import { makeBusyboxImage } from './tools/setup/busybox-image.mjs'; await makeBusyboxImage(process.cwd());`;
    const args = ['-C', root, process.execPath, '--input-type=module', '--eval', script];
    await succeed('env', args);
  }
  return tar;
}

async function succeed(program: string, args: readonly string[]): Promise<void> {
  const { code, stdout, stderr } = await runProgram(program, args, { timeoutMs: MAKE_MS });
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: exit ${code}\n${stdout}${stderr}`);
}
