import {
  accessSync,
  chmodSync,
  constants,
  existsSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { isAbsolute, join } from 'node:path';
import process from 'node:process';
import { CliError } from '../cli-error.js';
import type { Directories } from '../config.js';

/**
 * The path of a socket holds 107 bytes (unix(7)); the longest name below the run directory is that of a
 * container, `/c/`, 32 digits and `.sock`.
 */
const runDirBytesMax = 107 - 40;

/**
 * Makes the directories of an engine, closed to everybody else.
 * @throws CliError if one belongs to somebody else, cannot be written or has a path that does not do
 */
export function makeDirectories({ runDir, dataDir }: Directories): void {
  if (Buffer.byteLength(runDir) > runDirBytesMax) {
    throw refusal(`the path in TEU_RUN_DIR is longer than ${String(runDirBytesMax)} bytes`);
  }
  for (const directory of [runDir, dataDir]) {
    if (!isAbsolute(directory)) throw refusal(`${directory} is not an absolute path`);
    makePrivate(directory);
  }
}

function makePrivate(directory: string): void {
  try {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (statSync(directory).uid !== process.geteuid?.()) {
      throw refusal(`${directory} belongs to another user`);
    }
    chmodSync(directory, 0o700);
    accessSync(directory, constants.W_OK);
  } catch (error) {
    if (error instanceof CliError) throw error;
    throw refusal(`${directory} cannot be made or written`, error);
  }
}

function refusal(message: string, cause?: unknown): CliError {
  const hint = 'choose other directories with TEU_RUN_DIR and TEU_DATA_DIR';
  return new CliError(message, { hint, exitCode: 125, cause });
}

/** Whether supervisors of containers may still run: they have a directory each. */
export function hasSupervisors(runDir: string): boolean {
  const directory = join(runDir, 'c');
  return existsSync(directory) && readdirSync(directory).length > 0;
}

function removeIfEmpty(directory: string): void {
  if (existsSync(directory) && readdirSync(directory).length === 0) rmdirSync(directory);
}

/**
 * Removes what an engine that is down leaves in its run directory: sockets, the record, what NATS
 * wrote. The lock stays; removing it would let two processes hold locks of one name.
 */
export function cleanRunDirectory(runDir: string): void {
  if (!existsSync(runDir)) return;
  for (const name of readdirSync(runDir)) {
    if (name.endsWith('.sock') || name === 'up.json' || name === 'up.json.new') {
      rmSync(join(runDir, name), { force: true });
    }
  }
  rmSync(join(runDir, 'nats'), { recursive: true, force: true });
  removeIfEmpty(join(runDir, 'c'));
  // Sockets of storage drivers that somebody runs beside the engine.
  removeIfEmpty(join(runDir, 'd'));
}
