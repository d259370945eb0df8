import { Capability } from '@teu/proto/storage';
import type { StorageDriver } from './driver.js';

/** What a driver can do, with what all of them can because of the code around them. */
export function capabilitiesOf(driver: Pick<StorageDriver, 'capabilities'>): Capability[] {
  return [...driver.capabilities, Capability.CAPABILITY_CHECK];
}
