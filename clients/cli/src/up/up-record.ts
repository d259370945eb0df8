import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ProcessIdentity } from './process-identity.js';

/** What a service is doing. */
export type ServiceState = 'starting' | 'serving' | 'restarting' | 'stopping' | 'missing';

/** One service as up.json has it. */
export interface ServiceRecord {
  readonly name: string;
  readonly address: string;
  readonly log: string;
  readonly state: ServiceState;
  /** How often it had to be started again. */
  readonly restarts: number;
  readonly version: string;
  /** Absent while it does not run. */
  readonly process?: ProcessIdentity;
}

/** What `up.json` says: the resident process and the services that it started. */
export interface UpRecord {
  readonly resident: ProcessIdentity;
  readonly runDir: string;
  readonly dataDir: string;
  /** Drivers that were started, the one that is the default without another choice first. */
  readonly storageDrivers: readonly string[];
  readonly services: readonly ServiceRecord[];
}

const fileName = 'up.json';

/** Writes the record; a reader sees the old one or the new one, never half of it. */
export function writeUpRecord(record: UpRecord): void {
  const path = join(record.runDir, fileName);
  writeFileSync(`${path}.new`, `${JSON.stringify(record, null, 2)}\n`, { mode: 0o600 });
  renameSync(`${path}.new`, path);
}

/** Reads the record; undefined if there is none that can be read. */
export function readUpRecord(runDir: string): UpRecord | undefined {
  try {
    return JSON.parse(readFileSync(join(runDir, fileName), 'utf8')) as UpRecord;
  } catch {
    return undefined;
  }
}
