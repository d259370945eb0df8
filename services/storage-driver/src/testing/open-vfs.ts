import { startDriver, type StartedDriver } from './start-driver.js';

/** Starts vfs, which every other driver has to look like. */
export function openVfs(directory: string): Promise<StartedDriver> {
  return startDriver(directory, ['--driver', 'vfs']);
}
