import { existsSync, statSync } from 'node:fs';
import type { ContainerSpec } from '@teu/proto/engine';
import type { LinuxBlockIo, LinuxResources } from '@teu/proto/type';

/**
 * The same spec, but for what is about devices that the host does not have any more. With a device its limits have gone
 * from the kernel, and nobody can use it; a running container's other limits can be changed nonetheless. The record
 * keeps what was asked for: the next start wants it again.
 */
export function withoutGoneDevices(spec: ContainerSpec): ContainerSpec {
  return {
    ...spec,
    devices: spec.devices.filter(({ pathOnHost }) => isDevice(pathOnHost)),
    resources: spec.resources && withoutGoneDisks(spec.resources),
  };
}

function withoutGoneDisks(resources: LinuxResources): LinuxResources {
  const { blockIo } = resources;
  return { ...resources, blockIo: blockIo && blockIoWithoutGone(blockIo) };
}

function blockIoWithoutGone(blockIo: LinuxBlockIo): LinuxBlockIo {
  return {
    ...blockIo,
    weightDevices: blockIo.weightDevices.filter(isDisk),
    throttleReadBpsDevices: blockIo.throttleReadBpsDevices.filter(isDisk),
    throttleWriteBpsDevices: blockIo.throttleWriteBpsDevices.filter(isDisk),
    throttleReadIopsDevices: blockIo.throttleReadIopsDevices.filter(isDisk),
    throttleWriteIopsDevices: blockIo.throttleWriteIopsDevices.filter(isDisk),
  };
}

function isDevice(path: string): boolean {
  const found = statSync(path, { throwIfNoEntry: false });
  return found?.isCharacterDevice() === true || found?.isBlockDevice() === true;
}

function isDisk({ path, major, minor }: { path: string; major: number; minor: number }): boolean {
  if (path === '') return existsSync(`/sys/dev/block/${major}:${minor}`);
  return statSync(path, { throwIfNoEntry: false })?.isBlockDevice() === true;
}
