import { isTeuError } from '@teu/errors';
import { Damage, DamageKind, type DamageAction } from '@teu/proto/image';
import type { ImageRecord } from '../../domain/image-record.js';
import type { LayerDriver } from '../../layers/layer-driver.js';
import type { ImageParts } from '../image-parts.js';
import { namesOf } from './images-named.js';
import { mendLayer } from './mend-layer.js';
import type { Findings, VerifyScope } from './verify-images.js';

/** A layer of an image in a driver. */
export interface HeldLayer {
  readonly image: ImageRecord;
  /** Where it is in the image, from the base up. */
  readonly position: number;
  readonly chainId: string;
  readonly driver: LayerDriver;
}

/** Has each driver compare the layers that it holds of the images with what was unpacked. */
export async function* verifyLayers(
  parts: ImageParts,
  scope: VerifyScope,
  onlyDrivers: readonly string[],
): Findings {
  const { signal, tally } = scope;
  const drivers = await checkingDrivers(parts, scope, onlyDrivers);
  const layers = drivers.flatMap((driver) => layersIn(parts, scope, driver));
  tally.totalLayers = layers.length;
  const silent = new Set<string>();
  for (const layer of layers) {
    signal.throwIfAborted();
    if (silent.has(layer.driver.name)) continue;
    try {
      const damage = await verifyLayer(parts, scope, layer);
      tally.countLayer();
      if (damage !== undefined) yield damage;
    } catch (error) {
      // One that has gone away keeps nobody from hearing about the others.
      if (!isTeuError(error, 'DRIVER_UNAVAILABLE')) throw error;
      silent.add(layer.driver.name);
      tally.skip(layer.driver.name);
    }
    yield undefined;
  }
}

/** Drivers that hold layers and can compare; the others are named in the summary. */
async function checkingDrivers(
  { drivers, snapshots }: ImageParts,
  { signal, tally }: VerifyScope,
  only: readonly string[],
): Promise<LayerDriver[]> {
  const found: LayerDriver[] = [];
  for (const name of only.length > 0 ? only : snapshots.drivers()) {
    const driver = drivers.find(name);
    const canCheck = await driver?.canCheck(signal).catch((error: unknown) => {
      if (isTeuError(error, 'DRIVER_UNAVAILABLE')) return false;
      throw error;
    });
    if (driver !== undefined && canCheck === true) found.push(driver);
    else tally.skip(name);
  }
  return found;
}

/** From the base up within an image, because a layer is made anew on a whole one; newest images first. */
function layersIn(
  { images, snapshots }: ImageParts,
  { imageIds }: VerifyScope,
  driver: LayerDriver,
): HeldLayer[] {
  const found = new Map<string, HeldLayer>();
  for (const id of imageIds) {
    const image = images.byId(id);
    image?.layers.forEach(({ chainId }, position) => {
      if (found.has(chainId) || snapshots.find(driver.name, chainId) === undefined) return;
      found.set(chainId, { image, position, chainId, driver });
    });
  }
  return [...found.values()];
}

async function verifyLayer(
  parts: ImageParts,
  scope: VerifyScope,
  layer: HeldLayer,
): Promise<Damage | undefined> {
  const { chainId, driver, image, position } = layer;
  if ((await judgeLayer(parts, scope, layer)) === undefined) return undefined;
  const found = await judgeAlone(parts, scope, layer);
  if (found === undefined) return undefined;
  const damage = Damage.create({
    kind: found.kind,
    digest: image.layers[position]?.diffId ?? '',
    chainId,
    driver: driver.name,
    images: namesOf(parts, parts.images.usersOf(chainId)),
    detail: found.why,
  });
  if (!scope.repair) return damage;
  return { ...damage, ...(await mendLayer(parts, scope, layer, found.why)) };
}

/**
 * A layer on its way into a driver or out of it looks like a lost one. What was found counts if it is still so while
 * nobody brings or removes the layer; nearly all layers are whole and hold nobody up.
 */
function judgeAlone(
  parts: ImageParts,
  scope: VerifyScope,
  layer: HeldLayer,
): ReturnType<typeof judgeLayer> {
  const { layerMutex, snapshots } = parts;
  const { chainId, driver } = layer;
  return layerMutex.run(`${driver.name} ${chainId}`, async () => {
    if (snapshots.find(driver.name, chainId) === undefined) return undefined;
    return judgeLayer(parts, scope, layer);
  });
}

async function judgeLayer(
  { damage }: ImageParts,
  { readData, signal }: VerifyScope,
  { chainId, driver }: HeldLayer,
): Promise<{ kind: DamageKind; why: string } | undefined> {
  const changed = DamageKind.DAMAGE_KIND_LAYER_CHANGED;
  const missing = DamageKind.DAMAGE_KIND_LAYER_MISSING;
  if (!(await driver.hasCommitted(chainId))) return { kind: missing, why: 'the driver lost it' };
  const known = damage.find(driver.name, chainId);
  if (known !== undefined) return { kind: changed, why: known };
  try {
    const { findings, isMissing } = await driver.check(chainId, readData, signal);
    if (findings.length === 0) return undefined;
    return { kind: isMissing ? missing : changed, why: findings.join('; ') };
  } catch (error) {
    if (isTeuError(error) && error.status === 'NOT_FOUND') {
      return { kind: missing, why: 'the driver lost it' };
    }
    throw error;
  }
}

/** What became of a damage. */
export interface Mended {
  action: DamageAction;
  detail: string;
}
