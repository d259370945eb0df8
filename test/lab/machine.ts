import { installRoot } from '@teu/config';
import { chmodSync, copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBound, type BoundProcess } from './bound-process.js';
import { makeDisk, type Disk } from './disk.js';
import { startFileServer, type FileServer } from './file-server.js';
import { followFile } from './follow-file.js';
import { findKernel } from './kernel.js';
import { qemuArguments } from './qemu-arguments.js';
import { makeRunDirectory, type RunDirectory } from './run-directory.js';
import { commandScript } from './shell-words.js';

/** What a machine is, and what it does. */
export interface MachineOptions {
  /** Program and arguments, run as root. When it ends, the machine does. */
  readonly command: readonly string[];
  /** Where it runs. */
  readonly directory: string;
  readonly environment: Readonly<Record<string, string>>;
  /** Directories of this host that the machine may write to, at the same paths. */
  readonly writable: readonly string[];
  /** Bytes of the empty disk /dev/vda. */
  readonly scratchBytes: number;
  /** Disks that stay, as /dev/vdb and on. */
  readonly disks: readonly Disk[];
  readonly memoryMebibytes: number;
  readonly cpus: number;
  readonly timeLimitSeconds: number;
  readonly onOutput: (stream: 'stdout' | 'stderr', data: Buffer) => void;
}

/** How a machine ended. */
export type MachineEnd =
  | { readonly kind: 'status'; readonly code: number }
  | { readonly kind: 'time limit' }
  | { readonly kind: 'power cut' }
  /** It ended by itself, and the command did not. */
  | { readonly kind: 'died'; readonly reason: string };

/** A machine that runs, or ran. */
export interface Machine {
  /** What the machine sees, and writes to, as /run/lab. */
  readonly shared: string;
  /** Resolves when the machine has ended and all its output was given. */
  readonly ended: Promise<MachineEnd>;
  /** Kills QEMU: what was not flushed to a disk is lost. */
  cutPower(): void;
  /** Ends it and removes everything but the kept disks. Twice is no error. */
  remove(): Promise<void>;
}

const CONSOLE_LINES = 20;

/**
 * Boots a machine with Debian's kernel, whose root is a read-only view of this host's.
 * @throws LabFailure if it cannot be set up; nothing is left then
 */
export async function bootMachine(options: MachineOptions): Promise<Machine> {
  const kernel = await findKernel();
  const run = makeRunDirectory();
  try {
    const directories = [installRoot(), ...options.writable];
    writeGuestFiles(run, options, directories);
    const scratch = join(run.path, 'scratch');
    const disks: Disk[] = [
      { file: scratch, bytes: options.scratchBytes, cache: 'unsafe' },
      ...options.disks,
    ];
    for (const disk of disks) makeDisk(disk);
    const files = await startFileServer(run, kernel.directory, directories);
    const consoleFile = join(run.path, 'console');
    const { memoryMebibytes, cpus } = options;
    const hardware = { filesSocket: files.socket, consoleFile, disks, memoryMebibytes, cpus };
    const words = qemuArguments({ ...hardware, kernelImage: kernel.image });
    const qemu = startBound('qemu-system-x86_64', words, join(run.path, 'qemu.log'));
    return watchMachine(run, files, qemu, options);
  } catch (error) {
    run.remove();
    throw error;
  }
}

function writeGuestFiles(
  { shared }: RunDirectory,
  { command, directory, environment }: MachineOptions,
  directories: readonly string[],
): void {
  const own = join(installRoot(), 'test/lab');
  copyFileSync(join(own, 'guest-init.sh'), join(shared, 'init'));
  chmodSync(join(shared, 'init'), 0o755);
  copyFileSync(join(own, 'guest-fstab'), join(shared, 'fstab'));
  writeFileSync(join(shared, 'directories'), directories.map((path) => `${path}\n`).join(''));
  writeFileSync(join(shared, 'command'), commandScript(command, directory, environment));
  for (const name of ['stdout', 'stderr']) writeFileSync(join(shared, name), '');
}

function watchMachine(
  run: RunDirectory,
  files: FileServer,
  qemu: BoundProcess,
  { onOutput, timeLimitSeconds }: MachineOptions,
): Machine {
  let killedBy: 'time limit' | 'power cut' | undefined;
  const kill = (reason: 'time limit' | 'power cut'): void => {
    killedBy ??= reason;
    qemu.child.kill('SIGKILL');
  };
  const timer = setTimeout(() => kill('time limit'), timeLimitSeconds * 1000);
  const followers = (['stdout', 'stderr'] as const).map((stream) =>
    followFile(join(run.shared, stream), (data) => onOutput(stream, data)),
  );
  const watch = async (): Promise<MachineEnd> => {
    try {
      const exit = await qemu.exited;
      const status = statusIn(run);
      if (status !== undefined) return { kind: 'status', code: status };
      return killedBy === undefined
        ? { kind: 'died', reason: reasonIn(run, exit) }
        : { kind: killedBy };
    } finally {
      clearTimeout(timer);
      await files.end();
      for (const follower of followers) follower.end();
    }
  };
  const ended = watch();
  return {
    shared: run.shared,
    ended,
    cutPower: () => kill('power cut'),
    remove: async () => {
      kill('power cut');
      await ended.catch(() => undefined);
      run.remove();
    },
  };
}

/** The command's exit status, if it has ended. */
function statusIn({ shared }: RunDirectory): number | undefined {
  const file = join(shared, 'status');
  const text = existsSync(file) ? readFileSync(file, 'utf8').trim() : '';
  return text === '' ? undefined : Number(text);
}

/** The end of the console, which is the only witness. */
function reasonIn({ path }: RunDirectory, exit: string): string {
  const read = (name: string): string =>
    existsSync(join(path, name)) ? readFileSync(join(path, name), 'utf8').trimEnd() : '';
  const console = read('console').split('\n').slice(-CONSOLE_LINES).join('\n');
  return [`the machine died (QEMU: ${exit})`, read('qemu.log'), console].filter(Boolean).join('\n');
}
