import { mkdirSync, openSync, renameSync, statSync } from 'node:fs';
import { join } from 'node:path';

const rotateAboveBytes = 10 * 1024 * 1024;

/** Where the log of a service is. */
export function logPath(dataDir: string, name: string): string {
  return join(dataDir, 'log', `${name}.log`);
}

/**
 * Opens the log of a service for appending. One that has grown too big is put aside first, in place of
 * the one put aside before.
 * @returns the descriptor; the caller closes it
 */
export function openLog(dataDir: string, name: string): number {
  const path = logPath(dataDir, name);
  mkdirSync(join(dataDir, 'log'), { recursive: true, mode: 0o700 });
  const size = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  if (size > rotateAboveBytes) renameSync(path, `${path}.1`);
  return openSync(path, 'a', 0o600);
}
