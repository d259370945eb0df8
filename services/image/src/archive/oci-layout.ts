import { teuError } from '@teu/errors';
import { hostArchitecture } from '../domain/architecture.js';
import { requireDigest, digestOf } from '../domain/digest.js';
import { parseImageConfig } from '../domain/image-config.js';
import { parseIndex, parseManifest, type Descriptor, type Manifest } from '../domain/manifest.js';
import { isIndexType, layerCompression } from '../domain/media-types.js';
import { normalizeTag } from '../domain/reference.js';
import { invalid, member, parseDocument } from '../domain/strict-json.js';
import { readDocument, type ImageFiles } from './image-files.js';
import type { SourceDocument, SourceImage } from './image-source.js';

const NAME_ANNOTATIONS = [
  // What containerd and docker write: the whole name. The standard one is often only the tag.
  'io.containerd.image.name',
  'org.opencontainers.image.ref.name',
];
const INDEX_DEPTH_MAX = 4;

/**
 * Reads the images of an OCI image layout (image-spec, image-layout.md). Of an index for several
 * platforms it takes the one for this machine.
 * @throws ARCHIVE_INVALID, IMAGE_INVALID, IMAGE_UNSUPPORTED, DIGEST_MISMATCH
 */
export async function readOciLayout(files: ImageFiles): Promise<SourceImage[]> {
  const layout = parseDocument(await readDocument(files, 'oci-layout'), 'oci-layout');
  if (member(layout, 'imageLayoutVersion') !== '1.0.0') {
    throw invalid('oci-layout', 'is not of version 1.0.0');
  }
  const index = parseDocument(await readDocument(files, 'index.json'), 'index.json');
  const images = new Map<string, SourceImage>();
  for (const entry of parseIndex(index)) {
    const image = await readEntry(files, entry, 0);
    const known = images.get(image.manifest?.digest ?? '');
    if (known) known.names = [...new Set([...known.names, ...image.names])];
    else images.set(image.manifest?.digest ?? '', image);
  }
  return [...images.values()];
}

/**
 * Whether images of a layout have configs with layers and manifests without: docker 25.0 wrote such ones, beside a
 * manifest.json that tells all.
 */
export async function lacksLayers(files: ImageFiles): Promise<boolean> {
  const index = parseDocument(await readDocument(files, 'index.json'), 'index.json');
  for (const entry of parseIndex(index)) {
    if (isIndexType(entry.mediaType)) continue;
    const { bytes } = await readVerified(files, entry, 'the manifest');
    const parsed = parseManifest(bytes, entry.mediaType);
    if (parsed.kind !== 'manifest' || parsed.manifest.layers.length > 0) continue;
    const config = await readVerified(files, parsed.manifest.config, 'the config');
    if (parseImageConfig(config.bytes).diffIds.length > 0) return true;
  }
  return false;
}

async function readEntry(
  files: ImageFiles,
  entry: Descriptor,
  depth: number,
): Promise<SourceImage> {
  const document = await readVerified(files, entry, 'the manifest');
  const parsed = parseManifest(document.bytes, entry.mediaType);
  if (parsed.kind === 'manifest') {
    return { ...(await readImage(files, document, parsed.manifest)), names: namesOf(entry) };
  }
  if (depth >= INDEX_DEPTH_MAX) throw invalid('the index', 'is nested too deeply');
  const image = await readEntry(files, await choosePlatform(files, parsed.manifests), depth + 1);
  return { ...image, names: [...new Set([...namesOf(entry), ...image.names])] };
}

async function choosePlatform(files: ImageFiles, manifests: Descriptor[]): Promise<Descriptor> {
  const fitting = manifests.filter(
    ({ mediaType, platform }) =>
      isIndexType(mediaType) ||
      platform === undefined ||
      (platform.os === 'linux' && platform.architecture === hostArchitecture),
  );
  for (const candidate of fitting) {
    if (await files.has(blobPath(candidate.digest))) return candidate;
  }
  throw teuError('IMAGE_UNSUPPORTED', `the index has no image for linux/${hostArchitecture}`, {
    metadata: { platform: `linux/${hostArchitecture}` },
  });
}

async function readImage(
  files: ImageFiles,
  manifest: SourceDocument,
  { config: configEntry, layers }: Manifest,
): Promise<Omit<SourceImage, 'names'>> {
  const config = await readVerified(files, configEntry, 'the config');
  const { diffIds } = parseImageConfig(config.bytes);
  if (diffIds.length !== layers.length) {
    throw invalid('the config', `has ${diffIds.length} layers, the manifest ${layers.length}`);
  }
  return {
    config,
    manifest,
    layers: layers.map(({ mediaType, digest, size }, index) => ({
      place: () => files.find(blobPath(digest)),
      compression: layerCompression(mediaType),
      mediaType,
      digest,
      size,
      diffId: diffIds[index] ?? '',
    })),
  };
}

async function readVerified(
  files: ImageFiles,
  { digest, size }: Descriptor,
  what: string,
): Promise<SourceDocument> {
  const bytes = await readDocument(files, blobPath(digest));
  requireDigest(what, digest, digestOf(bytes));
  if (bytes.length !== size) throw invalid(what, `has ${bytes.length} bytes, not ${size}`);
  return { bytes, digest };
}

function blobPath(digest: string): string {
  return `blobs/${digest.replace(':', '/')}`;
}

/** Names that annotations give. One that is no name, for example a bare tag in odd letters, gives none. */
function namesOf({ annotations }: Descriptor): string[] {
  for (const key of NAME_ANNOTATIONS) {
    const text = Object.hasOwn(annotations, key) ? annotations[key] : undefined;
    // A bare tag, as umoci and skopeo write it, says nothing about which image it is a tag of.
    if (text === undefined || !/[:/]/.test(text)) continue;
    try {
      return [normalizeTag(text, key)];
    } catch {
      continue;
    }
  }
  return [];
}
