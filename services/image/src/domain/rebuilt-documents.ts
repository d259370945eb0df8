import { HISTORY_COUNT_MAX } from './image-config.js';
import { layerTypeFor } from './media-types.js';
import { invalid, isObject, member, type JsonObject } from './strict-json.js';

/** Annotations that tell what an image stands on (image-spec, annotations.md). */
const BASE_DIGEST = 'org.opencontainers.image.base.digest';
const BASE_NAME = 'org.opencontainers.image.base.name';

/** What an image says of itself. */
export interface ImageDocuments {
  config: JsonObject;
  manifest: JsonObject;
  diffIds: readonly string[];
}

/** An image, the base that it stands on, and the one that it is to stand on. */
export interface Rebuild {
  image: ImageDocuments;
  oldBase: ImageDocuments;
  newBase: ImageDocuments;
}

/**
 * The config of an image on its new base: all that the image says of itself stays, but for layers and history. The
 * history is left out if it does not say of each layer where it came from, in any of the images.
 */
export function rebuildConfig({ image, oldBase, newBase }: Rebuild): JsonObject {
  const rootfs = member(image.config, 'rootfs');
  const own = image.diffIds.slice(oldBase.diffIds.length);
  const history = rebuildHistory({ image, oldBase, newBase });
  const config: JsonObject = {
    ...image.config,
    rootfs: { ...(isObject(rootfs) ? rootfs : {}), diff_ids: [...newBase.diffIds, ...own] },
  };
  // A member that is there already keeps its place.
  if (history !== undefined) return { ...config, history };
  return without(config, 'history');
}

/** The manifest of an image on its new base; the name is left out if the base was not asked for by one. */
export function rebuildManifest(
  { image, oldBase, newBase }: Rebuild,
  config: { digest: string; size: number },
  base: { digest: string; name: string | undefined },
): JsonObject {
  const { manifest } = image;
  const descriptor = member(manifest, 'config');
  const annotations = without(annotationsOf(manifest), BASE_NAME);
  const type = member(isObject(descriptor) ? descriptor : {}, 'mediaType');
  const lower = layersOf(newBase).map((layer) => withTypeFor(type, layer));
  return {
    ...manifest,
    config: { ...(isObject(descriptor) ? descriptor : {}), ...config },
    layers: [...lower, ...layersOf(image).slice(oldBase.diffIds.length)],
    annotations: {
      ...annotations,
      [BASE_DIGEST]: base.digest,
      ...(base.name === undefined ? {} : { [BASE_NAME]: base.name }),
    },
  };
}

function rebuildHistory({ image, oldBase, newBase }: Rebuild): JsonObject[] | undefined {
  const before = historyOf(image);
  const lower = historyOf(newBase);
  if (before === undefined || lower === undefined) return undefined;
  const history = [...lower, ...before.slice(ownBegin(before, oldBase))];
  return history.length > HISTORY_COUNT_MAX ? undefined : history;
}

/** The entries, if they tell of as many layers as there are. */
export function historyOf({ config, diffIds }: ImageDocuments): JsonObject[] | undefined {
  const list = member(config, 'history');
  if (!Array.isArray(list) || !list.every(isObject)) return undefined;
  return list.filter(hasLayer).length === diffIds.length ? list : undefined;
}

const hasLayer = (entry: JsonObject): boolean => member(entry, 'empty_layer') !== true;

/**
 * Where an image's own history begins: behind that of its base, if it begins with it. Else behind the base's last
 * layer: what the base said behind it, of commands and the like, can then not be told from the image's own.
 */
function ownBegin(history: readonly JsonObject[], base: ImageDocuments): number {
  const lower = historyOf(base) ?? [];
  const isSame = (entry: JsonObject, at: number): boolean =>
    JSON.stringify(entry) === JSON.stringify(history[at]);
  if (lower.filter(hasLayer).length === base.diffIds.length && lower.every(isSame)) {
    return lower.length;
  }
  let begin = 0;
  for (let left = base.diffIds.length; left > 0; begin += 1) {
    const entry = history[begin];
    if (entry === undefined) break;
    if (hasLayer(entry)) left -= 1;
  }
  return begin;
}

export function layersOf({ manifest, diffIds }: ImageDocuments): JsonObject[] {
  const layers = member(manifest, 'layers');
  if (Array.isArray(layers) && layers.length === diffIds.length && layers.every(isObject)) {
    return layers;
  }
  throw invalid('the manifest', 'does not have the layers of the config');
}

function without(object: JsonObject, name: string): JsonObject {
  return Object.fromEntries(Object.entries(object).filter(([key]) => key !== name));
}

function annotationsOf(manifest: JsonObject): JsonObject {
  const annotations = member(manifest, 'annotations');
  return isObject(annotations) ? annotations : {};
}

function withTypeFor(configType: unknown, layer: JsonObject): JsonObject {
  const mediaType = member(layer, 'mediaType');
  if (typeof configType !== 'string' || typeof mediaType !== 'string') return layer;
  return { ...layer, mediaType: layerTypeFor(configType, mediaType) };
}
