import {
  address,
  boolean,
  bytes,
  defineConfig,
  durationMs,
  eventKeys,
  integer,
  listOf,
  path,
  type Config,
  type Parser,
} from '@teu/config';
import { driverAddress } from '@teu/driver-client';
import { DriverAddress } from '@teu/proto/storage';
import { proxyFromEnvironment, type ProxyOf } from '@teu/registry';

/** Not so short that nothing else is done, nor longer than a timer takes. */
const interval: Parser<number> = (text) => {
  const ms = durationMs(text);
  if (ms >= 1000 && ms <= 2 ** 31 - 1) return ms;
  throw new Error('expected a duration from 1s to 596h');
};

/** Configuration of the image service. */
export const imageConfig = defineConfig({
  address: {
    env: 'TEU_IMAGE_ADDRESS',
    flag: '--address',
    parse: address,
    default: ({ runDir }) => `unix:${runDir}/image.sock`,
    doc: 'Address to serve at',
  },
  drivers: {
    env: 'TEU_IMAGE_DRIVERS',
    flag: '--drivers',
    parse: listOf(driverAddress),
    default: ({ runDir }) => [
      DriverAddress.create({ name: 'overlay2', address: `unix:${runDir}/overlay2.sock` }),
    ],
    doc: 'Storage drivers until an engine tells them, <name>=<address> divided by commas; the first is the default',
  },
  maxLayerBytes: {
    env: 'TEU_IMAGE_MAX_LAYER_BYTES',
    flag: '--max-layer-bytes',
    parse: bytes,
    default: 64 * 2 ** 30,
    doc: 'Largest layer, uncompressed',
  },
  maxLayerEntries: {
    env: 'TEU_IMAGE_MAX_LAYER_ENTRIES',
    flag: '--max-layer-entries',
    parse: integer({ min: 1, max: 100_000_000 }),
    default: 2_000_000,
    doc: 'Most entries of a layer',
  },
  maxLayerRatio: {
    env: 'TEU_IMAGE_MAX_LAYER_RATIO',
    flag: '--max-layer-ratio',
    parse: integer({ min: 1, max: 1_000_000 }),
    default: 200,
    doc: 'Most bytes that a compressed byte may become, for layers above 1 GiB',
  },
  maxLayerTime: {
    env: 'TEU_IMAGE_MAX_LAYER_TIME',
    flag: '--max-layer-time',
    parse: durationMs,
    default: 30 * 60_000,
    doc: 'Longest that unpacking one layer may take',
  },
  maxParallelLayers: {
    env: 'TEU_IMAGE_MAX_PARALLEL_LAYERS',
    flag: '--max-parallel-layers',
    parse: integer({ min: 1, max: 64 }),
    default: 2,
    doc: 'Layers of an image that are unpacked at once, where the storage driver allows it',
  },
  maxUploadBytes: {
    env: 'TEU_IMAGE_MAX_UPLOAD_BYTES',
    flag: '--max-upload-bytes',
    parse: bytes,
    default: 64 * 2 ** 30,
    doc: 'Largest archive that a client may send',
  },
  keepImagesFor: {
    env: 'TEU_IMAGE_KEEP_IMAGES_FOR',
    flag: '--keep-images-for',
    parse: durationMs,
    default: 0,
    doc: 'Images that were not used for so long are removed, unless containers stand on them; 0 for never',
  },
  minFreeBytes: {
    env: 'TEU_IMAGE_MIN_FREE_BYTES',
    flag: '--min-free-bytes',
    parse: bytes,
    default: 0,
    doc: 'With less free, unused images are removed until there is so much, least recently used first; 0 for never',
  },
  policyInterval: {
    env: 'TEU_IMAGE_POLICY_INTERVAL',
    flag: '--policy-interval',
    parse: interval,
    default: 3_600_000,
    doc: 'How often is looked whether images are to be removed, and which are in use',
  },
  verifyAfterCrash: {
    env: 'TEU_IMAGE_VERIFY_AFTER_CRASH',
    flag: '--verify-after-crash',
    parse: boolean,
    default: true,
    doc: 'After an end that was none, all images are verified in the background, and mended',
  },
  verifyDelay: {
    env: 'TEU_IMAGE_VERIFY_DELAY',
    flag: '--verify-delay',
    parse: durationMs,
    default: 10_000,
    doc: 'How long after its start the service waits with that',
  },
  registriesFile: {
    env: 'TEU_IMAGE_REGISTRIES_FILE',
    flag: '--registries-file',
    parse: path,
    default: '/etc/teu/registries.json',
    doc: 'Mirrors, certificates and the like of registries; need not exist, and is read each time',
  },
  certificatesDirectory: {
    env: 'TEU_IMAGE_CERTIFICATES_DIR',
    flag: '--certificates-dir',
    parse: path,
    default: '/etc/docker/certs.d',
    doc: 'Certificates of registries as docker has them, <host:port>/*.crt, *.cert, *.key',
  },
  maxTransfers: {
    env: 'TEU_IMAGE_MAX_TRANSFERS',
    flag: '--max-transfers',
    parse: integer({ min: 1, max: 64 }),
    default: 3,
    doc: 'Blobs that one pull or push transfers at once',
  },
  maxDownloads: {
    env: 'TEU_IMAGE_MAX_DOWNLOADS',
    flag: '--max-downloads',
    parse: integer({ min: 1, max: 256 }),
    default: 8,
    doc: 'Blobs that all pulls together download at once',
  },
  registryStallMs: {
    env: 'TEU_IMAGE_REGISTRY_STALL',
    flag: '--registry-stall',
    parse: durationMs,
    default: 30_000,
    doc: 'How long a registry may send nothing before the connection counts as broken',
  },
  registryRetryMs: {
    env: 'TEU_IMAGE_REGISTRY_RETRY',
    flag: '--registry-retry',
    parse: durationMs,
    default: 500,
    doc: 'Wait before a broken transfer is tried again; doubled each time, five tries in all',
  },
  ingestKeepMs: {
    env: 'TEU_IMAGE_INGEST_KEEP',
    flag: '--ingest-keep',
    parse: durationMs,
    default: 24 * 3_600_000,
    doc: 'How long the beginning of a broken-off download is kept',
  },
  ingestMaxBytes: {
    env: 'TEU_IMAGE_INGEST_MAX_BYTES',
    flag: '--ingest-max-bytes',
    parse: bytes,
    default: 16 * 2 ** 30,
    doc: 'Most bytes of broken-off downloads that are kept; the oldest go first',
  },
  ...eventKeys('image'),
});

/** Proxies on the way to registries, by the variables that all programs share. */
export function environmentProxies(): ProxyOf {
  return proxyFromEnvironment(process.env);
}

export type ImageServiceConfig = Config<typeof imageConfig>;
