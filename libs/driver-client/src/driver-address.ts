import type { Parser } from '@teu/config';
import { teuError } from '@teu/errors';
import { parseDriverName } from '@teu/ids';
import { DriverAddress } from '@teu/proto/storage';

/** Longest path of a unix socket with its NUL, unix(7). */
const SOCKET_PATH_BYTES_MAX = 107;
/** Identifiers of containerd (pkg/identifiers), which names its snapshotters and namespaces so. */
const CONTAINERD_NAME = /^[A-Za-z0-9]+(?:[._-][A-Za-z0-9]+)*$/;
const CONTAINERD_NAME_LENGTH_MAX = 76;

/** Setting of one driver: `overlay2=unix:/run/teu/overlay2.sock`. */
export const driverAddress: Parser<DriverAddress> = (text) => {
  const equals = text.indexOf('=');
  if (equals < 1) throw new Error('expected <driver>=<address>');
  const name = text.slice(0, equals);
  const driver = DriverAddress.create({ name, address: text.slice(equals + 1) });
  checkDriverAddress(driver);
  return driver;
};

/**
 * Refuses an address that somebody sent and that can't be one.
 * @param field what errors call it
 * @throws INVALID_ARGUMENT or INVALID_ID naming the part
 */
export function checkDriverAddress(driver: DriverAddress, field = 'driver'): void {
  parseDriverName(driver.name, `${field}.name`);
  const path = /^unix:(\/[^\0]+)$/.exec(driver.address)?.[1];
  if (path === undefined) refuse(`${field}.address`, 'is not of the form unix:/path/to.sock');
  if (Buffer.byteLength(path) > SOCKET_PATH_BYTES_MAX) {
    refuse(`${field}.address`, `has a path of more than ${SOCKET_PATH_BYTES_MAX} bytes`);
  }
  checkContainerdName(driver.snapshotter, `${field}.snapshotter`);
  checkContainerdName(driver.namespace, `${field}.namespace`);
}

/** What a driver is asked for under: servers of several snapshotters tell them apart by it. */
export function snapshotterOf({ name, snapshotter }: DriverAddress): string {
  return snapshotter || name;
}

/** Whether two addresses lead to the same snapshots, whatever the names are. */
export function isSameDriver(one: DriverAddress, other: DriverAddress): boolean {
  return (
    one.address === other.address &&
    one.namespace === other.namespace &&
    snapshotterOf(one) === snapshotterOf(other)
  );
}

function checkContainerdName(text: string, field: string): void {
  if (text === '') return;
  if (text.length <= CONTAINERD_NAME_LENGTH_MAX && CONTAINERD_NAME.test(text)) return;
  const limit = CONTAINERD_NAME_LENGTH_MAX;
  refuse(field, `is not made of letters and digits, divided by . _ or -, at most ${limit}`);
}

function refuse(field: string, problem: string): never {
  throw teuError('INVALID_ARGUMENT', `${field} ${problem}`, { metadata: { field } });
}
