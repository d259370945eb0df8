import { teuError } from '@teu/errors';
import type { DeviceMapping } from '@teu/proto/engine';
import type { LinuxResources } from '@teu/proto/type';

/** Entries of one list: more than any container needs, and less than what costs. */
const MOST_ENTRIES = 256;
const MOST_TEXT = 4096;

/**
 * Refuses limits that are wrong on every host; what this host can't enforce the cgroup service refuses.
 * @param at name of the field in the request
 * @throws INVALID_ARGUMENT naming the field
 */
export function validateResources(resources: LinuxResources | undefined, at: string): void {
  if (resources === undefined) return;
  const { cpu, memory, pids, blockIo } = resources;
  limitOrNone(`${at}.memory.limit`, memory?.limit);
  limitOrNone(`${at}.memory.reservation`, memory?.reservation);
  limitOrNone(`${at}.memory.swap`, memory?.swap);
  limitOrNone(`${at}.memory.high`, memory?.high);
  between(`${at}.memory.swappiness`, memory?.swappiness, 0, 100);
  between(`${at}.cpu.shares`, cpu?.shares, 2, 262_144);
  limitOrNone(`${at}.cpu.quota`, cpu?.quota);
  between(`${at}.cpu.period`, cpu?.period, 1000, 1_000_000);
  shortText(`${at}.cpu.cpus`, cpu?.cpus);
  shortText(`${at}.cpu.mems`, cpu?.mems);
  limitOrNone(`${at}.pids.limit`, pids?.limit);
  between(`${at}.block_io.weight`, blockIo?.weight, 10, 1000);
  for (const [name, list] of Object.entries({ ...blockIo, ...resources })) {
    if (Array.isArray(list)) fewEntries(`${at}.${name}`, list.length);
  }
  fewEntries(`${at}.unified`, Object.keys(resources.unified).length);
  for (const [key, value] of Object.entries(resources.unified)) {
    shortText(`${at}.unified`, key);
    shortText(`${at}.unified`, value);
  }
}

/** @throws INVALID_ARGUMENT naming the field */
export function validateDevices(devices: readonly DeviceMapping[], at: string): void {
  fewEntries(at, devices.length);
  devices.forEach(({ pathOnHost, pathInContainer, access }, index) => {
    absolutePath(`${at}[${index}].path_on_host`, pathOnHost);
    if (pathInContainer !== '') absolutePath(`${at}[${index}].path_in_container`, pathInContainer);
    if (!/^(?!.*(.).*\1)[rwm]{0,3}$/.test(access)) {
      refuse(`${at}[${index}].access`, 'must be some of r, w and m');
    }
  });
}

/** @throws INVALID_ARGUMENT naming the field */
export function between(at: string, value: number | undefined, min: number, max: number): void {
  if (value === undefined || (value >= min && value <= max)) return;
  refuse(at, `is ${value}; it must be ${min} to ${max}`);
}

function limitOrNone(at: string, value: number | undefined): void {
  if (value === undefined || value === -1 || value > 0) return;
  refuse(at, `is ${value}; it must be positive, or -1 for no limit`);
}

function fewEntries(at: string, count: number): void {
  if (count > MOST_ENTRIES) refuse(at, `has ${count} entries; at most ${MOST_ENTRIES}`);
}

function shortText(at: string, text: string | undefined): void {
  if (text !== undefined && text.length > MOST_TEXT) refuse(at, 'is too long');
}

function absolutePath(at: string, path: string): void {
  shortText(at, path);
  if (!path.startsWith('/') || path.includes('\0')) refuse(at, 'is not an absolute path');
}

function refuse(field: string, problem: string): never {
  throw teuError('INVALID_ARGUMENT', `${field} ${problem}`, { metadata: { field } });
}
