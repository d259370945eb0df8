import { makeEvent } from '@teu/events';
import { ImageAction, ImageEvent } from '@teu/proto/event';
import type { Store } from '@teu/state';

/** Facts about images. Each goes into the outbox, in the transaction that makes it true. */
export interface ImageEvents {
  loaded(imageId: string, requestId: string): void;
  pulled(imageId: string, requestId: string): void;
  /** `name` is the one under which it is at the registry. */
  pushed(imageId: string, name: string, requestId: string): void;
  tagged(imageId: string, name: string, requestId: string): void;
  untagged(imageId: string, name: string, requestId: string): void;
  removed(imageId: string, requestId: string): void;
  /** It was made of a container that stood on another image. */
  committed(imageId: string, sourceImageId: string, requestId: string): void;
  /** It was made of another image. */
  rebuilt(imageId: string, sourceImageId: string, requestId: string): void;
  /** A blob or layer of it is not what it should be; `digest` is its digest or chain id. */
  damaged(imageId: string, digest: string, requestId: string): void;
  /** What was damaged is whole again. */
  repaired(imageId: string, digest: string, requestId: string): void;
}

/** `node` is this machine's name in subjects. */
export function createImageEvents(store: Store, node: string): ImageEvents {
  const announce = (
    action: ImageAction,
    imageId: string,
    reference: string,
    requestId: string,
    more: Partial<ImageEvent> = {},
  ): void => {
    const value = ImageEvent.create({ action, imageId, reference, ...more });
    const payload = { $case: 'image' as const, value: value };
    store.outbox.append(makeEvent({ node, source: 'image', payload, requestId }));
  };
  return {
    loaded: (id, request) => announce(ImageAction.IMAGE_ACTION_LOADED, id, '', request),
    pulled: (id, request) => announce(ImageAction.IMAGE_ACTION_PULLED, id, '', request),
    pushed: (id, name, request) => announce(ImageAction.IMAGE_ACTION_PUSHED, id, name, request),
    tagged: (id, name, request) => announce(ImageAction.IMAGE_ACTION_TAGGED, id, name, request),
    untagged: (id, name, request) => announce(ImageAction.IMAGE_ACTION_UNTAGGED, id, name, request),
    committed: (id, source, request) =>
      announce(ImageAction.IMAGE_ACTION_COMMITTED, id, '', request, {
        sourceImageId: source,
      }),
    rebuilt: (id, source, request) =>
      announce(ImageAction.IMAGE_ACTION_REBUILT, id, '', request, {
        sourceImageId: source,
      }),
    damaged: (id, digest, request) =>
      announce(ImageAction.IMAGE_ACTION_DAMAGED, id, '', request, { digest }),
    repaired: (id, digest, request) =>
      announce(ImageAction.IMAGE_ACTION_REPAIRED, id, '', request, { digest }),
    removed: (id, request) => announce(ImageAction.IMAGE_ACTION_REMOVED, id, '', request),
  };
}
