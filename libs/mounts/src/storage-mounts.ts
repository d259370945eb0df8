import { teuError } from '@teu/errors';
import { MS_REMOUNT } from './mount-flags.js';
import { parseMount, type MountDescription, type ParsedMount } from './parse-mount.js';

/** Whose mounts they are, for errors. */
export interface MountOrigin {
  driver: string;
  /** Key of the snapshot. */
  snapshot: string;
}

/**
 * File systems that mount(2) can put together by itself, with all that the mount says. The others of
 * `MOUNT_TYPES` hold no snapshot, or (fuse) need a program that the kernel does not start.
 */
const STORAGE_TYPES: ReadonlySet<string> = new Set([
  'bind',
  'overlay',
  'ext4',
  'xfs',
  'btrfs',
  'zfs',
  'erofs',
  'squashfs',
  'aufs',
  'tmpfs',
]);

/**
 * What mount(8), or containerd from 2.2 on, does before it asks the kernel: attach a loop device, make
 * a file system, fill in a template. A driver that wants that does it itself and returns the device:
 * who attached a device is also the one who knows when to detach it.
 */
const USER_SPACE_OPTION = /^(?:loop|offset|sizelimit|encryption|helper|[xX]-[^=]*)(?:=|$)/;

/**
 * Turns the mounts of a snapshot into what mount(2) takes, in order. The first one is the root; the
 * others cover it, or a directory in it.
 *
 * @param origin - Names driver and snapshot in errors; without it they name the field.
 * @throws UNSUPPORTED_MOUNT for what cannot be mounted as it is said, INVALID_ARGUMENT for a malformed
 *   path
 */
export function parseStorageMounts(
  mounts: readonly MountDescription[],
  origin: MountOrigin | string,
): ParsedMount[] {
  const [first] = mounts;
  if (first === undefined) throw refused(origin, '', 'there is no mount at all');
  if (first.target !== '') throw refused(origin, '', 'the first mount has a target');
  return mounts.map((mount, index) => parseStorageMount(mount, index, origin));
}

function parseStorageMount(
  mount: MountDescription,
  index: number,
  origin: MountOrigin | string,
): ParsedMount {
  const { type, options } = mount;
  const place = `mounts[${index}]`;
  const isBind = options.includes('bind') || options.includes('rbind');
  if (!isBind && !STORAGE_TYPES.has(type)) {
    const shown = JSON.stringify(type.slice(0, 64));
    throw refused(origin, place, `the type ${shown} is not supported`, { type: type.slice(0, 64) });
  }
  const option = options.find((text) => USER_SPACE_OPTION.test(text));
  if (option !== undefined) {
    const name = (option.split('=', 1)[0] ?? '').slice(0, 64);
    const text = `the option ${JSON.stringify(name)} of type ${JSON.stringify(type)} is not one of the kernel's`;
    throw refused(origin, place, text, { type, option: name });
  }
  const parsed = parseMount(mount, fieldOf(origin, place));
  const { flags, propagation, recursiveFlags, recursiveFlagsCleared } = parsed;
  if ((propagation | recursiveFlags | recursiveFlagsCleared | (flags & MS_REMOUNT)) !== 0) {
    const text = 'remount, propagation and recursive options are not supported';
    throw refused(origin, place, text, { type });
  }
  return parsed;
}

function fieldOf(origin: MountOrigin | string, place: string): string {
  if (typeof origin !== 'string') {
    return `snapshot "${origin.snapshot}" of driver ${origin.driver}: ${place}`;
  }
  return place === '' ? origin : `${origin}${place.slice('mounts'.length)}`;
}

function refused(
  origin: MountOrigin | string,
  place: string,
  what: string,
  more: Record<string, string> = {},
): Error {
  const metadata = typeof origin === 'string' ? { field: fieldOf(origin, place) } : { ...origin };
  const subject =
    typeof origin === 'string'
      ? fieldOf(origin, place)
      : `snapshot "${origin.snapshot}" of the storage driver ${origin.driver}`;
  return teuError('UNSUPPORTED_MOUNT', `${subject} cannot be mounted: ${what}`, {
    metadata: { ...metadata, ...more },
  });
}
