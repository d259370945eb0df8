import type { DevicePlan } from './launch-plan.js';

/** The devices and links that the OCI runtime spec promises in every container (config-linux.md, default devices). */
const CHARACTER_DEVICES: readonly (readonly [string, number, number])[] = [
  ['/dev/null', 1, 3],
  ['/dev/zero', 1, 5],
  ['/dev/full', 1, 7],
  ['/dev/random', 1, 8],
  ['/dev/urandom', 1, 9],
  ['/dev/tty', 5, 0],
];

export const DEFAULT_DEVICES: readonly DevicePlan[] = CHARACTER_DEVICES.map(
  ([path, major, minor]) => ({ path, type: 'c', major, minor, mode: 0o666, uid: 0, gid: 0 }),
);

export const DEFAULT_DEVICE_LINKS: readonly { path: string; target: string }[] = [
  { path: '/dev/fd', target: '/proc/self/fd' },
  { path: '/dev/stdin', target: '/proc/self/fd/0' },
  { path: '/dev/stdout', target: '/proc/self/fd/1' },
  { path: '/dev/stderr', target: '/proc/self/fd/2' },
  { path: '/dev/ptmx', target: 'pts/ptmx' },
];
