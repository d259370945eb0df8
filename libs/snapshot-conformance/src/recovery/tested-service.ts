import { startService, tempDir, type RunningTestService } from '@teu/testing';
import { join } from 'node:path';

/** Where a driver keeps its things during one test. */
export interface DriverPlace {
  readonly runDir: string;
  readonly dataDir: string;
  /** Called when the driver has ended. */
  remove(): void | Promise<void>;
}

/** A driver in a process that can be killed. */
export type TestedService = Pick<RunningTestService, 'channel' | 'exited' | 'kill' | 'stop'>;

/** Starts a driver, and waits until it serves. */
export type StartTested = (
  place: DriverPlace,
  environment: Record<string, string>,
) => Promise<TestedService>;

/** Starts the driver of a name of services/storage-driver. */
export function serviceOf(name: string): StartTested {
  return ({ runDir, dataDir }, env) => startService(name, { runDir, dataDir, env });
}

/** An empty directory. */
export async function directoryPlace(): Promise<DriverPlace> {
  const directory = tempDir();
  return {
    runDir: join(directory.path, 'r'),
    dataDir: join(directory.path, 'd'),
    remove: () => directory.remove(),
  };
}
