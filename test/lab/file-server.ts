import { installRoot } from '@teu/config';
import { waitFor } from '@teu/testing';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { startBound } from './bound-process.js';
import { LabFailure } from './lab-failure.js';
import type { RunDirectory } from './run-directory.js';

/** Comes with QEMU in bookworm (package qemu-system-common). */
const DAEMON = '/usr/lib/qemu/virtiofsd';
const START_MS = 30_000;
const END_MS = 2_000;

/** virtiofsd, and what it shows. */
export interface FileServer {
  readonly socket: string;
  /** Waits for its end, which follows QEMU's, and kills it if it does not come. */
  end(): Promise<void>;
}

/**
 * Serves the machine its files.
 * @param directories - The checkout, read-only, and then those that the machine may write to.
 */
export async function startFileServer(
  run: RunDirectory,
  kernelDirectory: string,
  directories: readonly string[],
): Promise<FileServer> {
  if (!existsSync(DAEMON)) throw new LabFailure(`${DAEMON} is missing: run "npm run setup"`);
  const socket = join(run.path, 'files.sock');
  const log = join(run.path, 'files.log');
  const script = join(installRoot(), 'test/lab/share-host.sh');
  const words = [script, DAEMON, run.path, kernelDirectory, ...directories];
  const { child, exited } = startBound(
    'unshare',
    ['--mount', '--propagation', 'private', 'sh', ...words],
    log,
  );
  const hasEnded = (): boolean => child.exitCode !== null || child.signalCode !== null;
  const isThere = (): boolean => hasEnded() || existsSync(socket);
  await waitFor(isThere, { timeoutMs: START_MS, what: 'virtiofsd' }).catch(() => undefined);
  if (hasEnded() || !existsSync(socket)) {
    child.kill('SIGKILL');
    throw new LabFailure(`virtiofsd does not start:\n${readFileSync(log, 'utf8')}`);
  }
  return {
    socket,
    end: async () => {
      const timer = setTimeout(() => child.kill('SIGKILL'), END_MS);
      await exited;
      clearTimeout(timer);
    },
  };
}
