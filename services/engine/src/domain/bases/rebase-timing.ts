import { RebaseTiming } from '@teu/proto/engine';
import { Capability } from '@teu/proto/storage';
import type { ContainerEntry } from '../container-entry.js';
import type { EngineParts } from '../engine-parts.js';

/** How a driver gets a container's layer on another parent. */
export interface RebaseAbility {
  /** By itself. Otherwise the image service copies what was written to a new layer. */
  canReparent: boolean;
  /** Also under a running container. */
  isLive: boolean;
}

/** What drivers can do, each asked once: one that hangs is waited for once, not for each of its containers. */
export class RebaseAbilities {
  readonly #parts: Pick<EngineParts, 'drivers'>;
  readonly #known = new Map<string, Promise<RebaseAbility>>();

  constructor(parts: Pick<EngineParts, 'drivers'>) {
    this.#parts = parts;
  }

  /** @throws DRIVER_NOT_FOUND, DRIVER_UNAVAILABLE */
  of(driver: string): Promise<RebaseAbility> {
    const known = this.#known.get(driver) ?? askDriver(this.#parts, driver);
    this.#known.set(driver, known);
    return known;
  }
}

/**
 * Asks a driver. A foreign snapshotter says nothing of itself, and can do neither.
 * @throws DRIVER_NOT_FOUND, DRIVER_UNAVAILABLE
 */
async function askDriver(
  { drivers }: Pick<EngineParts, 'drivers'>,
  driver: string,
): Promise<RebaseAbility> {
  const described = await drivers.get(driver).describe();
  const can = (capability: Capability): boolean =>
    described?.capabilities.includes(capability) ?? false;
  const canReparent = can(Capability.CAPABILITY_REPARENT);
  return { canReparent, isLive: canReparent && can(Capability.CAPABILITY_LIVE_REPARENT) };
}

/** When a container would get on another base. */
export function rebaseTiming(
  { running }: Pick<ContainerEntry, 'running'>,
  { isLive }: RebaseAbility,
): RebaseTiming {
  if (!running) return RebaseTiming.REBASE_TIMING_NOW_STOPPED;
  return isLive ? RebaseTiming.REBASE_TIMING_NOW_LIVE : RebaseTiming.REBASE_TIMING_AT_NEXT_START;
}
