import { clock, newContainerId, containerSnapshotKey } from '@teu/ids';
import { Container, ContainerState, type ContainerSpec } from '@teu/proto/engine';
import { generateContainerName } from './container-names.js';
import type { EngineParts } from './engine-parts.js';
import type { ResolvedImage } from './image-cache.js';
import { fillInDefaults } from './image-defaults.js';
import { validateSpec } from './spec-validation.js';
import type { StartClock } from './start-trace.js';

type Parts = Pick<EngineParts, 'images' | 'peers' | 'defaults' | 'registry'>;

/** A container that is thought through but not recorded. */
export interface Draft {
  container: Container;
  /** What the client asked for, without defaults. */
  asked: ContainerSpec;
  /** The image it was drafted with: known, or guessed. */
  image: ResolvedImage;
  /** What the image service says. Nothing may run before it agrees. */
  confirmation: Promise<ResolvedImage>;
}

/**
 * Checks a spec and fills it in. If the image is remembered, this does not wait for the image service.
 * @throws INVALID_ARGUMENT, CONTAINER_NAME_IN_USE, DRIVER_NOT_FOUND, IMAGE_NOT_FOUND, UNAVAILABLE
 */
export async function draftContainer(
  parts: Parts,
  asked: ContainerSpec,
  trace: StartClock,
): Promise<Draft> {
  validateSpec(asked);
  const driver = asked.driver || parts.defaults.driver;
  parts.peers.driver(driver);
  if (asked.name !== '') parts.registry.requireFreeName(asked.name);
  const confirmation = trace.phase('image', () => parts.images.ask(asked.image, driver));
  // It is awaited later, and a failure before that must not count as unhandled.
  confirmation.catch(() => undefined);
  const image = parts.images.guess(asked.image, driver) ?? (await confirmation);
  const id = newContainerId();
  // Asked again, since the answer of the image service may have taken its time.
  if (asked.name !== '') parts.registry.requireFreeName(asked.name);
  const name = asked.name || generateContainerName((taken) => parts.registry.isNameTaken(taken));
  const container = Container.create({
    id,
    name,
    state: ContainerState.CONTAINER_STATE_CREATED,
    createTime: clock.now(),
    driver,
    snapshotKey: containerSnapshotKey(id),
  });
  return { container: withImage(parts, container, asked, image), asked, image, confirmation };
}

/** Fills a container in from an image. */
export function withImage(
  parts: Pick<EngineParts, 'defaults'>,
  container: Container,
  asked: ContainerSpec,
  image: ResolvedImage,
): Container {
  const spec = fillInDefaults(asked, image.image.config, parts.defaults);
  return { ...container, imageId: image.image.id, spec: { ...spec, name: container.name } };
}
