import {
  accessSync,
  constants,
  mkdtempSync,
  readFileSync,
  realpathSync,
  rmSync,
  statfsSync,
} from 'node:fs';
import { execFile } from 'node:child_process';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { nativeBinary } from '@teu/config';
import { isTeuError, teuError } from '@teu/errors';
import { Capability } from '@teu/proto/storage';
import { filesystemName, keepsAttributes } from '@teu/snapshots';
import { AufsDriver, type AufsHost } from './aufs-driver.js';
import { KernelUnions } from './kernel/kernel-unions.js';
import { MergeProgram } from './merge-program.js';
import { probePassthrough } from './user/probe-passthrough.js';
import { UserUnions } from './user/user-unions.js';

/** Network file systems, and those without owners: whiteouts and attributes are not safe there. */
const UNSUITABLE = new Set(['nfs', 'cifs', 'msdos', '9p', 'fuse', 'aufs']);
/** What the kernel's AUFS takes for no branch that is written to, besides. */
const UNSUITABLE_FOR_KERNEL = new Set(['overlay']);
/** Characters that divide branches, and what a mount table writes in another way. */
const UNSUITABLE_PATH = /[:,=+%\\\s]/;
/** A control socket has a name of at most 107 bytes (unix(7)); "/c/" and an id are to follow. */
const MAX_ROOT_BYTES = 90;
const MODPROBE = '/usr/sbin/modprobe';
const MODPROBE_MS = 10_000;
const FUSE_DEVICE = '/dev/fuse';
const VERSION = '/sys/module/aufs/version';
const run = promisify(execFile);

/**
 * Finds out how unions can be made here, and makes the driver: by the kernel's AUFS where there is one,
 * otherwise by teu-union.
 *
 * @param root - Data directory of the driver; it exists.
 * @throws DRIVER_UNSUPPORTED saying what is missing and what to do
 */
export async function openAufsDriver(root: string): Promise<AufsDriver> {
  const place = realpathSync(root);
  return new AufsDriver(place, await findHost(place));
}

/** Looks whether aufs can work in a directory; leaves nothing in it. */
export async function checkAufsHost(root: string): Promise<void> {
  await findHost(realpathSync(root));
}

async function findHost(root: string): Promise<AufsHost> {
  const filesystem = checkPlace(root);
  const capabilities: Capability[] = [
    Capability.CAPABILITY_SHARED_DISK,
    Capability.CAPABILITY_REBASE,
    Capability.CAPABILITY_REPARENT,
    Capability.CAPABILITY_MERGE_INTO_PARENT,
    Capability.CAPABILITY_REPLACE,
    Capability.CAPABILITY_EXACT_ATTRIBUTES,
  ];
  if (await keepsAttributes(root)) capabilities.push(Capability.CAPABILITY_XATTRS);
  const program = nativeBinary('teu-union');
  const merge = new MergeProgram(program);
  if (!UNSUITABLE_FOR_KERNEL.has(filesystem) && (await hasKernelAufs())) {
    capabilities.push(Capability.CAPABILITY_SHARED_PAGE_CACHE);
    return { backend: new KernelUnions(moduleVersion()), capabilities, filesystem, merge };
  }
  checkFuse();
  const hasPassthrough = await tryUnion(program, root);
  capabilities.push(Capability.CAPABILITY_LIVE_REPARENT);
  capabilities.push(Capability.CAPABILITY_HARD_LINKS_ACROSS_LAYERS);
  if (hasPassthrough) capabilities.push(Capability.CAPABILITY_SHARED_PAGE_CACHE);
  return { backend: new UserUnions(program, hasPassthrough), capabilities, filesystem, merge };
}

/** @returns Name of the file system. */
function checkPlace(root: string): string {
  if (UNSUITABLE_PATH.test(root)) {
    throw unsupported('the data directory has a character in its path that divides branches');
  }
  if (Buffer.byteLength(root) > MAX_ROOT_BYTES) {
    throw unsupported(`the path of the data directory has more than ${MAX_ROOT_BYTES} bytes`);
  }
  const filesystem = filesystemName(statfsSync(root).type);
  if (!UNSUITABLE.has(filesystem)) return filesystem;
  throw unsupported(`the data directory is on ${filesystem}, which cannot hold its branches`);
}

/** Also where it is a module that is not loaded yet. */
async function hasKernelAufs(): Promise<boolean> {
  const isKnown = (): boolean => /\taufs$/m.test(readFileSync('/proc/filesystems', 'utf8'));
  if (isKnown()) return true;
  const options = { env: {}, cwd: '/', timeout: MODPROBE_MS };
  await run(MODPROBE, ['--quiet', 'aufs'], options).catch(() => undefined);
  return isKnown();
}

function moduleVersion(): string {
  try {
    return readFileSync(VERSION, 'utf8').trim();
  } catch {
    return '';
  }
}

function checkFuse(): void {
  try {
    accessSync(FUSE_DEVICE, constants.R_OK | constants.W_OK);
  } catch (cause) {
    const text = `the kernel has no aufs, and there is no ${FUSE_DEVICE} (try: modprobe fuse)`;
    throw unsupported(text, cause);
  }
}

/** Mounts a union of two empty branches, and unmounts it. @returns Whether it has passthrough */
async function tryUnion(program: string, root: string): Promise<boolean> {
  const directory = mkdtempSync(join(root, '.p-'));
  try {
    for (const name of ['m', 'up', 'low']) await mkdir(join(directory, name));
    return await probePassthrough(program, directory);
  } catch (error) {
    if (isTeuError(error)) throw error;
    throw unsupported('a union cannot be mounted', error);
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

function unsupported(why: string, cause?: unknown): Error {
  return teuError('DRIVER_UNSUPPORTED', `storage driver aufs cannot run here: ${why}`, {
    metadata: { driver: 'aufs' },
    cause,
  });
}
