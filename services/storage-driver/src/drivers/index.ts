import type { StorageDriver } from '@teu/snapshots';
import { openAufsDriver } from './aufs/open-aufs-driver.js';
import { openBtrfsDriver } from './btrfs/open-btrfs-driver.js';
import {
  openDeviceMapperDriver,
  type DeviceMapperOptions,
} from './devicemapper/open-devicemapper-driver.js';
import { checkHost } from './overlay2/check-host.js';
import { Overlay2Driver } from './overlay2/overlay2-driver.js';
import { checkVfsHost } from './vfs/check-host.js';
import { VfsDriver } from './vfs/vfs-driver.js';
import { openZfsDriver, type ZfsOptions } from './zfs/open-zfs-driver.js';

/** What only some drivers want to know. */
export type DriverOptions = ZfsOptions & DeviceMapperOptions;

/** Makes a driver. @throws DRIVER_UNSUPPORTED if it cannot work on this host or directory */
export type DriverFactory = (root: string, options: DriverOptions) => Promise<StorageDriver>;

/** Every driver of this service. A driver knows nothing of configuration, records or gRPC. */
export const DRIVERS = {
  overlay2: async (root) => new Overlay2Driver(root, await checkHost(root)),
  btrfs: openBtrfsDriver,
  zfs: openZfsDriver,
  devicemapper: openDeviceMapperDriver,
  aufs: openAufsDriver,
  vfs: async (root) => new VfsDriver(root, await checkVfsHost(root)),
} as const satisfies Readonly<Record<string, DriverFactory>>;

export type DriverName = keyof typeof DRIVERS;
export const DRIVER_NAMES = Object.keys(DRIVERS) as DriverName[];
