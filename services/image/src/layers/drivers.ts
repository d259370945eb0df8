import { DriverSet, type DriverClient } from '@teu/driver-client';
import type { DriverAddress } from '@teu/proto/storage';
import { layerDriver, type LayerDriver } from './layer-driver.js';

/** Which drivers there are, and which of them is for requests that name none. */
export interface KnownDrivers {
  addresses: readonly DriverAddress[];
  defaultName: string;
}

/** The storage drivers that were last told. */
export interface Drivers {
  /** Empty means the default one. @throws DRIVER_NOT_FOUND saying which there are */
  get(name: string): LayerDriver;
  /** Undefined if it is not told any more. */
  find(name: string): LayerDriver | undefined;
  /** All that were last told. */
  all(): LayerDriver[];
  replace(known: KnownDrivers): void;
  close(): void;
}

/** A driver that is the same as before keeps its connection, and stays the same object. */
export function createDrivers(known: KnownDrivers): Drivers {
  const set = new DriverSet();
  const layered = new WeakMap<DriverClient, LayerDriver>();
  let { defaultName } = known;
  set.replace(known.addresses);
  const toLayered = (client: DriverClient): LayerDriver => {
    const driver = layered.get(client) ?? layerDriver(client);
    layered.set(client, driver);
    return driver;
  };
  return {
    get: (name) => toLayered(set.get(name === '' ? defaultName : name)),
    find: (name) => {
      const client = set.find(name);
      return client && toLayered(client);
    },
    all: () => set.all().map(toLayered),
    replace: (next) => {
      set.replace(next.addresses);
      ({ defaultName } = next);
    },
    close: () => set.close(),
  };
}
