import { runProgram } from '@teu/testing/run-program';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { LabFailure } from './lab-failure.js';

/**
 * Debian's package that depends on the newest build of its kernel for virtual machines (in the security suite
 * of bookworm). File system and bus of the machine are built in, so that it starts without an initrd.
 */
const PACKAGE = 'linux-image-6.12-cloud-amd64';
const DOWNLOAD_MS = 600_000;

/** A kernel that was unpacked and never installed. */
export interface Kernel {
  /** Root of its files: `boot` and `lib/modules`. */
  readonly directory: string;
  /** The file that QEMU starts. */
  readonly image: string;
}

/**
 * The kernel of the lab, downloaded the first time (34 MB) and kept in TEU_CACHE_DIR (/var/cache/teu if not
 * set).
 * @throws LabFailure if it cannot be downloaded or unpacked
 */
export async function findKernel(): Promise<Kernel> {
  const cache = process.env['TEU_CACHE_DIR'] ?? '/var/cache/teu';
  const directory = join(cache, PACKAGE);
  if (!existsSync(directory)) await fetchKernel(cache, directory);
  const boot = join(directory, 'boot');
  const image = readdirSync(boot).find((name) => name.startsWith('vmlinuz-'));
  if (image === undefined) throw new LabFailure(`${boot} holds no kernel: remove ${directory}`);
  return { directory, image: join(boot, image) };
}

/** Makes it out of sight and gives it its name when it is whole: two may do so at once. */
async function fetchKernel(cache: string, directory: string): Promise<void> {
  mkdirSync(cache, { recursive: true });
  const place = mkdtempSync(join(cache, 'kernel-'));
  try {
    const archive = await download(place);
    const unpacked = join(place, 'root');
    await succeed('dpkg-deb', ['--extract', archive, unpacked]);
    for (const version of readdirSync(join(unpacked, 'lib/modules'))) {
      await succeed('depmod', ['--basedir', unpacked, version]);
    }
    renameUnlessThere(unpacked, directory);
  } finally {
    rmSync(place, { recursive: true, force: true });
  }
}

/** @returns Path of the archive. */
async function download(place: string): Promise<string> {
  let result = await tryDownload(place);
  if (result.code !== 0) {
    // The lists may be old or absent; only then is the network needed for more than the package.
    await apt(place, ['update']);
    result = await tryDownload(place);
  }
  const archive = readdirSync(place).find((name) => name.endsWith('.deb'));
  if (archive !== undefined) return join(place, archive);
  throw new LabFailure(`apt-get could not download ${PACKAGE}:\n${result.output.trimEnd()}`);
}

async function tryDownload(place: string): Promise<{ code: number; output: string }> {
  const depends = await runProgram('apt-cache', ['depends', PACKAGE]);
  const build = /Depends: (linux-image-\S+)/.exec(depends.stdout)?.[1];
  if (build === undefined) return { code: 1, output: `${depends.stdout}${depends.stderr}` };
  return apt(place, ['download', build]);
}

async function apt(
  directory: string,
  words: readonly string[],
): Promise<{ code: number; output: string }> {
  // apt's own user may not write to the directory, and complains.
  const options = ['-q', '-o', 'APT::Sandbox::User=root'];
  const script = 'cd "$1" && shift && exec apt-get "$@"';
  const result = await runProgram('sh', ['-c', script, 'sh', directory, ...options, ...words], {
    timeoutMs: DOWNLOAD_MS,
  });
  return { code: result.code, output: `${result.stdout}${result.stderr}` };
}

async function succeed(program: string, args: readonly string[]): Promise<void> {
  const { code, stderr } = await runProgram(program, args);
  if (code !== 0) throw new LabFailure(`${program} ${args.join(' ')}: ${stderr}`);
}

function renameUnlessThere(from: string, to: string): void {
  try {
    renameSync(from, to);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
  }
}
