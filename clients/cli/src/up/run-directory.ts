import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  rmdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { CliError } from '../cli-error.js';
import type { Directories } from '../config.js';

/**
 * Makes the directories of an engine, closed to everybody else.
 * @throws CliError if one belongs to somebody else
 */
export function makeDirectories({ runDir, dataDir }: Directories): void {
  for (const directory of [runDir, dataDir]) {
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    if (statSync(directory).uid !== process.geteuid?.()) {
      throw new CliError(`${directory} belongs to another user`, {
        hint: 'choose other directories with TEU_RUN_DIR and TEU_DATA_DIR',
        exitCode: 125,
      });
    }
    chmodSync(directory, 0o700);
  }
}

/** Whether supervisors of containers may still run: they have a directory each. */
export function hasSupervisors(runDir: string): boolean {
  const directory = join(runDir, 'c');
  return existsSync(directory) && readdirSync(directory).length > 0;
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
  if (existsSync(join(runDir, 'c')) && !hasSupervisors(runDir)) rmdirSync(join(runDir, 'c'));
}
