import { isTeuError } from '@teu/errors';
import { DamageAction } from '@teu/proto/image';
import type { LayerDriver } from '../../layers/layer-driver.js';
import type { ImageParts } from '../image-parts.js';
import { unpackMissing } from '../prepare-image.js';
import type { VerifyScope } from './verify-images.js';
import type { HeldLayer, Mended } from './verify-layers.js';

/**
 * Makes a layer anew of its blob. That it is damaged is on record first, so from then on whoever needs it does the same;
 * until it is done the driver lets nothing new stand on it.
 */
export async function mendLayer(
  parts: ImageParts,
  scope: VerifyScope,
  layer: HeldLayer,
  why: string,
): Promise<Mended> {
  const { damage, events, images, store, watchers } = parts;
  const { chainId, driver, image } = layer;
  store.transaction(() => {
    if (damage.find(driver.name, chainId) !== undefined) return;
    damage.record(driver.name, chainId, why);
    for (const id of images.usersOf(chainId)) events.damaged(id, chainId, scope.requestId);
  });
  try {
    // Starts that were made in advance stand on it.
    await watchers.announce([chainId]);
    const removed = await makeWay(parts, driver, chainId);
    const above = images.usersOf(chainId).filter((id) => {
      const chain = images.byId(id)?.layers ?? [];
      return chain.some((one) => removed.includes(one.chainId));
    });
    for (const id of new Set([image.id, ...above])) {
      const wanted = images.byId(id);
      if (wanted !== undefined) await unpackMissing(parts, wanted, driver, scope.signal);
    }
    return { action: DamageAction.DAMAGE_ACTION_REBUILT, detail: why };
  } catch (error) {
    scope.signal.throwIfAborted();
    return await setAside(parts, scope, layer, `${why}; ${reasonOf(error)}`);
  } finally {
    await watchers.announce();
  }
}

/**
 * Where a driver cannot replace a layer, what stands on it goes first, if all of that is layers. Else nothing does, and
 * replacing it fails by itself.
 * @returns chain ids of layers that were removed
 */
async function makeWay(parts: ImageParts, driver: LayerDriver, chainId: string): Promise<string[]> {
  const { layerMutex, pins, snapshots } = parts;
  if (await driver.canReplace()) return [];
  const order = await layersAbove(driver, chainId, (child) => {
    return snapshots.find(driver.name, child) !== undefined && !pins.has(child);
  });
  const removed: string[] = [];
  for (const above of order ?? []) {
    const answer = await layerMutex.run(`${driver.name} ${above}`, async () => {
      if (pins.has(above)) return 'pinned';
      const result = await driver.remove(above);
      if (result === 'removed') snapshots.forget(driver.name, above);
      return result;
    });
    if (answer !== 'removed') break;
    removed.push(above);
  }
  return removed;
}

/** All layers on one, from the top down; undefined if something else stands there as well. */
async function layersAbove(
  driver: LayerDriver,
  chainId: string,
  isLayer: (child: string) => boolean,
): Promise<string[] | undefined> {
  const order: string[] = [];
  for (const child of await driver.children(chainId)) {
    const above = isLayer(child) ? await layersAbove(driver, child, isLayer) : undefined;
    if (above === undefined) return undefined;
    order.push(...above, child);
  }
  return order;
}

/** What cannot be made anew is at least not used. */
async function setAside(
  { log }: Pick<ImageParts, 'log'>,
  { signal }: VerifyScope,
  { chainId, driver }: HeldLayer,
  detail: string,
): Promise<Mended> {
  try {
    if (await driver.hasCommitted(chainId)) await driver.quarantine(chainId, signal);
    return { action: DamageAction.DAMAGE_ACTION_QUARANTINED, detail };
  } catch (error) {
    signal.throwIfAborted();
    log.warn({ err: error, driver: driver.name, chainId }, 'a damaged layer is not in quarantine');
    return { action: DamageAction.DAMAGE_ACTION_FAILED, detail };
  }
}

function reasonOf(error: unknown): string {
  if (isTeuError(error)) return error.message;
  throw error;
}
