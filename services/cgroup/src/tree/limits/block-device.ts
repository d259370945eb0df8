import { existsSync, statSync } from 'node:fs';
import { invalid } from './limit-family.js';

/** Which block device a request means. */
export interface DeviceName {
  /** Path of its node on the host; empty if the numbers say it. */
  readonly path: string;
  readonly major: number;
  readonly minor: number;
}

/**
 * Finds the numbers of a block device, "254:0".
 *
 * @throws INVALID_ARGUMENT if there is no such device, or if it is a part of one: the kernel limits whole disks
 */
export function blockDeviceOf(device: DeviceName, field: string): string {
  const numbers = device.path === '' ? `${device.major}:${device.minor}` : numbersOf(device, field);
  const entry = entryOf(numbers);
  if (!existsSync(entry)) throw invalid(field, `names the block device ${numbers}, which is none`);
  if (existsSync(`${entry}/partition`)) {
    throw invalid(field, `names ${nameOf(device)}, a partition; limits are of whole disks`);
  }
  return numbers;
}

/** Tells whether there is a block device with the numbers that a limit in force is of. */
export function isBlockDevice({ major, minor }: Omit<DeviceName, 'path'>): boolean {
  return existsSync(entryOf(`${major}:${minor}`));
}

function entryOf(numbers: string): string {
  return `/sys/dev/block/${numbers}`;
}

function numbersOf(device: DeviceName, field: string): string {
  const found = statSync(device.path, { bigint: true, throwIfNoEntry: false });
  if (found?.isBlockDevice() !== true) {
    throw invalid(field, `names ${nameOf(device)}, which is not a block device`);
  }
  return `${majorOf(found.rdev)}:${minorOf(found.rdev)}`;
}

function nameOf({ path, major, minor }: DeviceName): string {
  return path === '' ? `${major}:${minor}` : `"${path}"`;
}

/** Takes a device number apart as makedev(3) of glibc puts it together. */
function majorOf(number: bigint): bigint {
  return ((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn);
}

function minorOf(number: bigint): bigint {
  return (number & 0xffn) | ((number >> 12n) & ~0xffn);
}
