import { join } from 'node:path';
import { parseDriverName } from '@teu/ids';
import { connectDriver, type DriverClient } from './driver-client.js';

/** The storage drivers, found by the names of their sockets. */
export interface Drivers {
  /** Empty means the default one. @throws INVALID_ID */
  get(name: string): DriverClient;
  close(): void;
}

export function createDrivers(runDir: string, defaultDriver: string): Drivers {
  const clients = new Map<string, DriverClient>();
  return {
    get: (name) => {
      const driver = parseDriverName(name === '' ? defaultDriver : name);
      let client = clients.get(driver);
      if (client === undefined) {
        client = connectDriver(driver, `unix:${join(runDir, `${driver}.sock`)}`);
        clients.set(driver, client);
      }
      return client;
    },
    close: () => {
      for (const client of clients.values()) client.close();
    },
  };
}
