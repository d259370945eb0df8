import { join } from 'node:path';
import { readGroupFile, writeGroupFile } from './group-files.js';

/**
 * The devices that a container may use: those that Docker gives every container. Not runc's extras:
 * neither making any node whatever nor /dev/net/tun. `c 0:0 m` is what deleting a file of a lower
 * layer makes (a whiteout); kernels before 5.8 ask this list about it.
 */
export const DEFAULT_DEVICES: readonly string[] = [
  'c 1:3 rwm', // null
  'c 1:5 rwm', // zero
  'c 1:7 rwm', // full
  'c 1:8 rwm', // random
  'c 1:9 rwm', // urandom
  'c 5:0 rwm', // tty
  'c 5:1 rwm', // console
  'c 5:2 rwm', // ptmx
  'c 136:* rwm', // terminals of devpts
  'c 0:0 m', // whiteouts
];

/**
 * Sets the list of a version 1 group; groups that are made in it later inherit it
 * (kernel: Documentation/admin-guide/cgroup-v1/devices.rst).
 *
 * With groups below it the kernel takes no "deny all" any more, so a group that has the right list
 * already, from an earlier start, is left alone, and one that differs is brought there rule by rule.
 */
export function setDefaultDevices(group: string): void {
  const present = rulesOf(group);
  if (present.includes('a *:* rwm')) {
    writeGroupFile(join(group, 'devices.deny'), 'a');
  }
  const remaining = rulesOf(group);
  for (const rule of remaining) {
    if (!DEFAULT_DEVICES.includes(rule)) writeGroupFile(join(group, 'devices.deny'), rule);
  }
  for (const rule of DEFAULT_DEVICES) {
    if (!remaining.includes(rule)) writeGroupFile(join(group, 'devices.allow'), rule);
  }
}

function rulesOf(group: string): string[] {
  return readGroupFile(join(group, 'devices.list')).split('\n').filter(Boolean);
}
