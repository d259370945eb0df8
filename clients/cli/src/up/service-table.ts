import { join } from 'node:path';
import type { Directories } from '../config.js';

/** A service as `teu up` starts it. */
export interface ServiceDefinition {
  readonly name: string;
  /** Bundle, relative to the installation. */
  readonly bundle: string;
  readonly args: readonly string[];
  /** Where it serves. */
  readonly socket: string;
}

/**
 * The services, in the order of what they stand on; they start beside each other and are stopped from
 * the last to the first.
 */
export function serviceTable(
  directories: Directories,
  storageDriver: string,
): readonly ServiceDefinition[] {
  const socket = (name: string) => join(directories.runDir, `${name}.sock`);
  const service = (name: string, bundle = name, args: string[] = []): ServiceDefinition => ({
    name,
    bundle: `services/${bundle}/dist/main.mjs`,
    args,
    socket: socket(name),
  });
  return [
    service('executor'),
    service('cgroup'),
    service(storageDriver, 'storage-driver', ['--driver', storageDriver]),
    service('image'),
    service('engine'),
  ];
}
