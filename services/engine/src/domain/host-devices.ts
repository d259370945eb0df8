import { statSync, type Stats } from 'node:fs';
import { teuError } from '@teu/errors';
import type { ContainerSpec, DeviceMapping } from '@teu/proto/engine';
import { LinuxDevice } from '@teu/proto/executor';
import { LinuxDeviceRule, LinuxResources } from '@teu/proto/type';

const PERMISSIONS = 0o777;

/**
 * The nodes that a container gets: like those of the host, with their owners and permissions.
 * @throws INVALID_ARGUMENT if there is no such device on the host
 */
export function deviceNodes({ devices }: Pick<ContainerSpec, 'devices'>): LinuxDevice[] {
  return devices.map((mapping, index) => {
    const found = look(mapping, index);
    return LinuxDevice.create({
      path: mapping.pathInContainer || mapping.pathOnHost,
      ...numbersOf(found),
      fileMode: found.mode & PERMISSIONS,
      uid: found.uid,
      gid: found.gid,
    });
  });
}

/**
 * Limits as the cgroup service is asked for them: the use of mapped devices is allowed, before the rules of the client,
 * which win.
 * @throws INVALID_ARGUMENT if there is no such device on the host
 */
export function cgroupResources(spec: ContainerSpec): LinuxResources | undefined {
  if (spec.devices.length === 0) return spec.resources;
  const rules = spec.devices.map((mapping, index) =>
    LinuxDeviceRule.create({
      allow: true,
      ...numbersOf(look(mapping, index)),
      access: withMake(mapping.access || 'rwm'),
    }),
  );
  const resources = spec.resources ?? LinuxResources.create();
  return { ...resources, devices: [...rules, ...resources.devices] };
}

/** The node is made from within the cgroup; who has it gains nothing by making it again. */
function withMake(access: string): string {
  return access.includes('m') ? access : `${access}m`;
}

function look({ pathOnHost }: DeviceMapping, index: number): Stats {
  const found = statSync(pathOnHost, { throwIfNoEntry: false });
  if (found?.isCharacterDevice() === true || found?.isBlockDevice() === true) return found;
  const field = `spec.devices[${index}].path_on_host`;
  throw teuError('INVALID_ARGUMENT', `${field} is "${pathOnHost}", no device node of the host`, {
    metadata: { field },
  });
}

/** Takes the number of a device apart as makedev(3) of glibc puts it together. */
function numbersOf(found: Stats): { type: 'c' | 'b'; major: number; minor: number } {
  const number = BigInt(found.rdev);
  return {
    type: found.isCharacterDevice() ? 'c' : 'b',
    major: Number(((number >> 8n) & 0xfffn) | ((number >> 32n) & ~0xfffn)),
    minor: Number((number & 0xffn) | ((number >> 12n) & ~0xffn)),
  };
}
