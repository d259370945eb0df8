import { isTeuError } from '@teu/errors';
import { Capability, DriverServiceService } from '@teu/proto/storage';
import type { RpcChannel } from '@teu/rpc';

/** What a driver says it can do. Nothing is guessed from its name. */
export interface DriverTraits {
  readonly capabilities: ReadonlySet<Capability>;
  /** Most parents that a snapshot may stand on. */
  readonly maxLayerCount: number;
  /** Whether it serves teu.storage.v1.DriverService. */
  readonly hasDriverService: boolean;
}

/** What is declared for a snapshotter that has no DriverService to ask. */
export interface DeclaredTraits {
  readonly capabilities?: readonly Capability[];
  readonly maxLayerCount?: number;
}

const PREFIX = 'CAPABILITY_';

/** `hard-links-across-layers` for CAPABILITY_HARD_LINKS_ACROSS_LAYERS. */
export function capabilityName(capability: Capability): string {
  const [name = String(capability)] =
    Object.entries(Capability).find(([, value]) => value === capability) ?? [];
  return name.replace(PREFIX, '').toLowerCase().replaceAll('_', '-');
}

/** Names of all capabilities that can be declared. */
export const CAPABILITY_NAMES: readonly string[] = Object.values(Capability)
  .filter((value) => typeof value === 'number' && value > 0)
  .map((value) => capabilityName(value));

/** The capability of a name; undefined if there is none. */
export function capabilityOf(name: string): Capability | undefined {
  return Object.values(Capability).find(
    (value) => value !== Capability.CAPABILITY_UNSPECIFIED && capabilityName(value) === name,
  );
}

/**
 * Asks a driver what it can do.
 *
 * @param declared - What to take instead from one that has no DriverService.
 * @throws Error if it has one, and something is declared beside it: the driver knows better
 */
export async function readTraits(
  channel: RpcChannel,
  declared: DeclaredTraits = {},
): Promise<DriverTraits> {
  const { capabilities = [], maxLayerCount = 0 } = declared;
  try {
    const { driver } = await channel.unary(DriverServiceService.getDriver, {});
    if (capabilities.length > 0 || maxLayerCount > 0) {
      throw new Error('the driver declares its capabilities itself, by GetDriver');
    }
    return {
      capabilities: new Set(driver?.capabilities),
      maxLayerCount: driver?.maxLayerCount ?? 0,
      hasDriverService: true,
    };
  } catch (error) {
    if (!isTeuError(error, 'UNIMPLEMENTED')) throw error;
    return { capabilities: new Set(capabilities), maxLayerCount, hasDriverService: false };
  }
}
