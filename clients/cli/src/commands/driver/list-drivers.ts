import { DriverRegistryServiceService, type RegisteredDriver } from '@teu/proto/engine';
import type { Context } from '../../context.js';

/** All storage drivers that the engine knows, the default one first. */
export async function listDrivers(
  context: Pick<Context, 'services' | 'abort'>,
): Promise<RegisteredDriver[]> {
  const { listDrivers: method } = DriverRegistryServiceService;
  const options = { timeoutMs: listTimeoutMs, signal: context.abort };
  return (await context.services.engine.unary(method, {}, options)).drivers;
}

/** The engine asks each driver, with a deadline of a few seconds for those that hang. */
const listTimeoutMs = 20_000;

/** The name that containers and images refer to a driver by. */
export function nameOfDriver(driver: RegisteredDriver): string {
  return driver.address?.name ?? '';
}
