import { formatErrorChain, isTeuError } from '@teu/errors';
import { DriverState, RegisteredDriver } from '@teu/proto/engine';
import type { EngineParts } from '../engine-parts.js';
import type { KnownDriver } from './driver-registry.js';

const ANSWER_TIMEOUT_MS = 3_000;

/** Asks a driver how it is. Does not throw: that it does not answer is an answer. */
export async function describeDriver(
  { drivers, registry, log }: Pick<EngineParts, 'drivers' | 'registry' | 'log'>,
  { address, origin, addTime }: KnownDriver,
): Promise<RegisteredDriver> {
  const { name } = address;
  const known = RegisteredDriver.create({
    address,
    origin,
    isDefault: drivers.defaultName === name,
    containerCount: registry.onDriver(name).length,
    addTime,
  });
  try {
    const driver = await drivers.get(name).probe({ timeoutMs: ANSWER_TIMEOUT_MS });
    return { ...known, state: DriverState.DRIVER_STATE_AVAILABLE, driver };
  } catch (error) {
    const state = DriverState.DRIVER_STATE_UNAVAILABLE;
    log.debug({ driver: name, problem: formatErrorChain(error) }, 'a driver does not answer');
    const stateDetail = isTeuError(error)
      ? error.message
      : 'internal error; the log has the details';
    return { ...known, state, stateDetail };
  }
}
