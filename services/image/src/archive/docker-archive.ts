import { digestOf, requireDigest } from '../domain/digest.js';
import { parseImageConfig } from '../domain/image-config.js';
import { LAYER_COUNT_MAX } from '../domain/manifest.js';
import { normalizeTag } from '../domain/reference.js';
import { invalid, isObject, member, parseListDocument } from '../domain/strict-json.js';
import { readDocument, type ImageFiles } from './image-files.js';
import type { SourceImage } from './image-source.js';

const IMAGE_COUNT_MAX = 1024;
// Most writers name the config after its digest.
const CONFIG_DIGEST = /(?:^|[/:])([0-9a-f]{64})(?:\.json)?$/;

/**
 * Reads the images of what "docker save" writes: manifest.json, a config and a tar for each layer.
 * Whether layers are compressed only their bytes tell.
 * @throws ARCHIVE_INVALID, IMAGE_INVALID
 */
export async function readDockerArchive(files: ImageFiles): Promise<SourceImage[]> {
  const what = 'manifest.json';
  const list = parseListDocument(await readDocument(files, what), what);
  if (list.length > IMAGE_COUNT_MAX) {
    throw invalid(what, `has more than ${IMAGE_COUNT_MAX} images`);
  }
  const images: SourceImage[] = [];
  for (const item of list) images.push(await readImage(files, item));
  return images;
}

async function readImage(files: ImageFiles, item: unknown): Promise<SourceImage> {
  if (!isObject(item)) throw invalid('manifest.json', 'has an entry that is not an object');
  const configName = member(item, 'Config');
  const layerNames = texts(member(item, 'Layers'), 'Layers', LAYER_COUNT_MAX);
  if (typeof configName !== 'string') throw invalid('manifest.json', 'names no config');
  const bytes = await readDocument(files, configName);
  const named = CONFIG_DIGEST.exec(configName)?.[1];
  if (named !== undefined) requireDigest('the config', `sha256:${named}`, digestOf(bytes));
  const { diffIds } = parseImageConfig(bytes);
  if (diffIds.length !== layerNames.length) {
    throw invalid('the config', `has ${diffIds.length} layers, manifest.json ${layerNames.length}`);
  }
  return {
    config: { bytes, digest: digestOf(bytes) },
    layers: layerNames.map((name, index) => ({
      place: () => files.find(name),
      compression: 'auto',
      diffId: diffIds[index] ?? '',
    })),
    names: texts(member(item, 'RepoTags'), 'RepoTags', IMAGE_COUNT_MAX).map((name) =>
      normalizeTag(name, 'RepoTags'),
    ),
  };
}

function texts(value: unknown, name: string, max: number): string[] {
  const list = value ?? [];
  const fits =
    Array.isArray(list) && list.length <= max && list.every((item) => typeof item === 'string');
  if (!fits) throw invalid('manifest.json', `has a malformed list "${name}"`);
  return list;
}
