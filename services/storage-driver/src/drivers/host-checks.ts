import { checkAufsHost } from './aufs/open-aufs-driver.js';
import { checkBtrfsHost } from './btrfs/open-btrfs-driver.js';
import { checkDeviceMapperHost } from './devicemapper/open-devicemapper-driver.js';
import type { DriverName, DriverOptions } from './index.js';
import { checkHost } from './overlay2/check-host.js';
import { checkVfsHost } from './vfs/check-host.js';
import { checkZfsHost } from './zfs/open-zfs-driver.js';

/** Looks whether a driver can work in a directory, which exists; leaves nothing in it. */
export type HostCheck = (root: string, options: DriverOptions) => Promise<unknown>;

/**
 * The drivers in the order in which one is chosen when nothing else decides: docker's order, and before
 * copies the union that works nearly everywhere.
 */
export const HOST_CHECKS: Readonly<Record<DriverName, HostCheck>> = {
  overlay2: checkHost,
  btrfs: checkBtrfsHost,
  zfs: checkZfsHost,
  devicemapper: checkDeviceMapperHost,
  aufs: checkAufsHost,
  vfs: checkVfsHost,
};
