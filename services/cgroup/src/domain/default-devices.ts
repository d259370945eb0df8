import type { DeviceRule } from './device-rule.js';

/**
 * The devices that a container may use: those that Docker gives every container. Not runc's extras:
 * neither making any node whatever nor /dev/net/tun. `c 0:0 m` is what deleting a file of a lower
 * layer makes (a whiteout); kernels before 5.8 ask this list about it.
 */
export const DEFAULT_DEVICES: readonly DeviceRule[] = [
  allowed(1, 3), // null
  allowed(1, 5), // zero
  allowed(1, 7), // full
  allowed(1, 8), // random
  allowed(1, 9), // urandom
  allowed(5, 0), // tty
  allowed(5, 1), // console
  allowed(5, 2), // ptmx
  allowed(136), // terminals of devpts
  { ...allowed(0, 0), access: 'm' }, // whiteouts
];

function allowed(major: number, minor?: number): DeviceRule {
  return { allow: true, type: 'c', major, minor, access: 'rwm' };
}
