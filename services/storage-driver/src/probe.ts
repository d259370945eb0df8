import { isTeuError } from '@teu/errors';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { HOST_CHECKS, type HostCheck } from './drivers/host-checks.js';
import type { DriverOptions } from './drivers/index.js';

/** What a driver says about this host and directory. */
export interface ProbeResult {
  readonly driver: string;
  readonly works: boolean;
  /** Why it does not work; empty if it does. */
  readonly reason: string;
}

/**
 * Asks drivers, in the order in which one is to be preferred, whether they can work below a data
 * directory. Leaves nothing behind, not even the directory.
 *
 * @param extent - "first" ends with the first that works.
 * @param options - Of the drivers, as they would be started.
 */
export async function* probeDrivers(
  dataDir: string,
  extent: 'first' | 'all',
  checks: Readonly<Record<string, HostCheck>> = HOST_CHECKS,
  options: DriverOptions = {},
): AsyncGenerator<ProbeResult> {
  for (const [driver, check] of Object.entries(checks)) {
    const result = await probeOne(driver, join(dataDir, driver), (root) => check(root, options));
    yield result;
    if (result.works && extent === 'first') return;
  }
}

async function probeOne(
  driver: string,
  root: string,
  check: (root: string) => Promise<unknown>,
): Promise<ProbeResult> {
  const made = mkdirSync(root, { recursive: true, mode: 0o700 });
  try {
    await check(root);
    return { driver, works: true, reason: '' };
  } catch (error) {
    if (!isTeuError(error, 'DRIVER_UNSUPPORTED')) throw error;
    return { driver, works: false, reason: error.message };
  } finally {
    if (made !== undefined) rmSync(made, { recursive: true, force: true });
  }
}
