import { join } from 'node:path';
import type { Directories } from '../config.js';
import type { DriverKind } from '../driver-kinds.js';

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
 * @param storageDrivers the default one first
 */
export function serviceTable(
  directories: Directories,
  storageDrivers: readonly DriverKind[],
): readonly ServiceDefinition[] {
  const socket = (name: string) => join(directories.runDir, `${name}.sock`);
  const service = (name: string, bundle = name, args: string[] = []): ServiceDefinition => ({
    name,
    bundle: `services/${bundle}/dist/main.mjs`,
    args,
    socket: socket(name),
  });
  const driver = (kind: DriverKind) =>
    service(kind, 'storage-driver', [
      ...['--driver', kind],
      // Said for each, since variables would say the same to all.
      ...['--address', `unix:${socket(kind)}`, '--root', join(directories.dataDir, kind)],
    ]);
  const drivers = storageDrivers.map((kind) => `${kind}=unix:${socket(kind)}`).join(',');
  return [
    service('executor'),
    service('cgroup'),
    ...storageDrivers.map(driver),
    service('image', 'image', ['--drivers', drivers]),
    service('engine', 'engine', ['--drivers', drivers]),
  ];
}
