import { teuError } from '@teu/errors';
import { hasControlCharacters } from '@teu/ids';
import { MS_BIND } from './mount-flags.js';
import { isMountType } from './mount-types.js';
import {
  FLAG_OPTIONS,
  PROPAGATION_OPTIONS,
  RECURSIVE_OPTIONS,
  type FlagChange,
} from './options.js';
import { checkDataOption } from './data-options.js';

/** What containerd.types.Mount and a spec's mount have in common. */
export interface MountDescription {
  type: string;
  source: string;
  /** In a spec an absolute path in the container; from a driver a path below the root, or ''. */
  target: string;
  /** As in fstab(5), one option each. */
  options: readonly string[];
}

/** A mount in the terms of mount(2); has the fields of @teu/native's StorageMount and MountPlan. */
export interface ParsedMount {
  type: string;
  source: string;
  target: string;
  /** MS_* flags of mount(2), without propagation. */
  flags: number;
  /** MS_PRIVATE, MS_SLAVE, MS_SHARED or MS_UNBINDABLE, with or without MS_REC; 0 = leave. */
  propagation: number;
  /** Options of the file system, divided by commas. */
  data: string;
  /** Attributes to set on the whole mounted tree (mount_setattr(2)), as MS_* bits; 0 for none. */
  recursiveFlags: number;
  /** Attributes to clear on the whole mounted tree, as MS_* bits; 0 for none. */
  recursiveFlagsCleared: number;
}

const OPTION_COUNT_MAX = 1024;
const PATH_LENGTH_MAX = 4096;

/**
 * Turns a described mount into flags, propagation and data. Later options win over earlier ones.
 * @throws UNSUPPORTED_MOUNT for a type or an option that is not on the lists, INVALID_ARGUMENT for a
 *   malformed path. `field` names the mount in the message.
 */
export function parseMount(mount: MountDescription, field = 'mount'): ParsedMount {
  checkPath(mount.source, `${field}.source`);
  checkPath(mount.target, `${field}.target`);
  if (mount.options.length > OPTION_COUNT_MAX) throw unsupported(field, 'has too many options');

  let flags = 0;
  let propagation = 0;
  let recursiveFlags = 0;
  let recursiveFlagsCleared = 0;
  const data: string[] = [];
  const apply = (value: number, change: FlagChange): number => (value & ~change.clear) | change.set;
  for (const option of mount.options) {
    const change = FLAG_OPTIONS.get(option);
    const spread = PROPAGATION_OPTIONS.get(option);
    const recursive = RECURSIVE_OPTIONS.get(option);
    if (change !== undefined) flags = apply(flags, change);
    else if (spread !== undefined) propagation = spread;
    else if (recursive !== undefined) {
      recursiveFlags = apply(recursiveFlags, recursive);
      recursiveFlagsCleared = (recursiveFlagsCleared & ~recursive.set) | recursive.clear;
    } else data.push(option);
  }

  // A driver may say bind by type, by option, or both; the OCI runtime spec lets the option decide.
  const isBind = mount.type === 'bind' || (flags & MS_BIND) !== 0;
  const type = isBind ? 'bind' : mount.type;
  if (isBind) flags |= MS_BIND;
  if (isBind && !mount.source.startsWith('/')) {
    throw invalid(`${field}.source`, 'is not an absolute path, which a bind mount needs');
  }
  if (!isMountType(type)) throw unsupported(`${field}.type`, 'is not a supported type');
  for (const option of data) {
    if (!checkDataOption(type, option)) {
      throw unsupported(`${field}.options`, 'has an unsupported option', option);
    }
  }
  return {
    type,
    source: mount.source,
    target: mount.target,
    flags,
    propagation,
    data: data.join(','),
    recursiveFlags,
    recursiveFlagsCleared,
  };
}

function checkPath(path: string, field: string): void {
  if (path.length > PATH_LENGTH_MAX || hasControlCharacters(path)) {
    throw invalid(field, 'is too long or has control characters');
  }
  if (path.split('/').includes('..')) throw invalid(field, 'has a .. component');
}

function invalid(field: string, what: string): Error {
  return teuError('INVALID_ARGUMENT', `${field} ${what}`, { metadata: { field } });
}

function unsupported(field: string, what: string, option?: string): Error {
  // Only the option's name: its value may be a host path.
  const name = option === undefined ? undefined : (option.split('=', 1)[0] ?? '').slice(0, 64);
  return teuError(
    'UNSUPPORTED_MOUNT',
    `${field} ${what}${name === undefined ? '' : ` (${JSON.stringify(name)})`}`,
    {
      metadata: { field, ...(name === undefined ? {} : { option: name }) },
    },
  );
}
