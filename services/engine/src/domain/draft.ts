import { hasResources } from '@teu/container-defaults';
import { clock, newContainerId, containerSnapshotKey } from '@teu/ids';
import { Container, ContainerState, type ContainerSpec } from '@teu/proto/engine';
import { Capability } from '@teu/proto/storage';
import { generateContainerName } from './container-names.js';
import type { EngineParts } from './engine-parts.js';
import type { ResolvedImage } from './image-cache.js';
import { deviceNodes } from './host-devices.js';
import { fillInDefaults } from './image-defaults.js';
import { validateSpec } from './spec-validation.js';
import type { StartClock } from './start-trace.js';
import type { WarmStart } from './warm-pool.js';
import { fitsWorld } from './world.js';

type Parts = Pick<EngineParts, 'images' | 'drivers' | 'defaults' | 'registry' | 'pool'>;

/** What a driver has to do for a container with a limit on its layer. */
const LIMITING = 'limit the size of snapshots';

/** A container that is thought through but not recorded. */
export interface Draft {
  container: Container;
  /** What the client asked for, without defaults. */
  asked: ContainerSpec;
  /** The image it was drafted with: known, or guessed. */
  image: ResolvedImage;
  /** What the image service says. Nothing may run before it agrees. */
  confirmation: Promise<ResolvedImage>;
  /** What was made in advance and fits; its taker launches it or gives it up. */
  warm: WarmStart | undefined;
}

/**
 * Checks a spec and fills it in. If the image is remembered, this does not wait for the image service.
 * @throws INVALID_ARGUMENT, CONTAINER_NAME_IN_USE, DRIVER_NOT_FOUND, FEATURE_UNSUPPORTED, IMAGE_NOT_FOUND,
 *   UNAVAILABLE, DRIVER_UNAVAILABLE
 */
export async function draftContainer(
  parts: Parts,
  asked: ContainerSpec,
  trace: StartClock,
  mayBeWarm = false,
): Promise<Draft> {
  validateSpec(asked);
  // Now, and not only when it is started, for the sake of the error.
  deviceNodes(asked);
  const driver = asked.driver || parts.drivers.defaultName;
  const client = parts.drivers.forNew(driver);
  if (asked.rootSizeBytes > 0) await client.require(Capability.CAPABILITY_QUOTA, LIMITING);
  if (asked.name !== '') parts.registry.requireFreeName(asked.name);
  const current = parts.images.current(asked.image, driver);
  const confirmation =
    current === undefined
      ? trace.phase('image', () => parts.images.ask(asked.image, driver))
      : Promise.resolve(current);
  // It is awaited later, and a failure before that must not count as unhandled.
  confirmation.catch(() => undefined);
  const image = current ?? parts.images.guess(asked.image, driver) ?? (await confirmation);
  // Asked again, since the answer of the image service may have taken its time.
  if (asked.name !== '') parts.registry.requireFreeName(asked.name);
  const name = asked.name || generateContainerName((taken) => parts.registry.isNameTaken(taken));
  const id = newContainerId();
  const snapshotKey = containerSnapshotKey(id);
  const createTime = clock.now();
  const state = ContainerState.CONTAINER_STATE_CREATED;
  const empty = Container.create({ id, name, state, createTime, driver, snapshotKey });
  const container = withImage(parts, empty, asked, image);
  // Last, so that nothing can fail between the taking and the use.
  const isCertain = parts.images.current(asked.image, driver) === image;
  const isWarm = mayBeWarm && isCertain && !hasLimits(asked) && fitsWorld(asked);
  const warm = isWarm ? parts.pool.take(driver, image.snapshot) : undefined;
  if (warm === undefined) return { container, asked, image, confirmation, warm };
  const named = { ...container, id: warm.containerId, snapshotKey: warm.snapshotKey };
  return { container: named, asked, image, confirmation, warm };
}

/** Cgroups that are made in advance have the default limits and are in no group, and layers have none. */
function hasLimits(spec: ContainerSpec): boolean {
  const { resources, rootSizeBytes, oomScoreAdj, devices, group } = spec;
  if (rootSizeBytes > 0 || oomScoreAdj !== undefined) return true;
  return devices.length > 0 || group !== '' || hasResources(resources);
}

/** Fills a container in from an image. */
export function withImage(
  parts: Pick<EngineParts, 'defaults'>,
  container: Container,
  asked: ContainerSpec,
  image: ResolvedImage,
): Container {
  const spec = fillInDefaults(asked, image.image.config, parts.defaults);
  const { name, driver } = container;
  return { ...container, imageId: image.image.id, spec: { ...spec, name, driver } };
}
