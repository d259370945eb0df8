import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeBusyboxRoot } from './busybox-root.js';

/** Directories of one executor under test, and a root for its containers. */
export interface TestDirectory {
  path: string;
  dataDir: string;
  runDir: string;
  address: string;
  /** A busybox root file system. */
  root: string;
  remove(): void;
}

export function makeTestDirectory(): TestDirectory {
  const path = mkdtempSync(join(tmpdir(), 'teu-x-'));
  const root = join(path, 'root');
  mkdirSync(root);
  makeBusyboxRoot(root);
  const runDir = join(path, 'r');
  return {
    path,
    dataDir: join(path, 'd'),
    runDir,
    address: `unix:${runDir}/executor.sock`,
    root,
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}
