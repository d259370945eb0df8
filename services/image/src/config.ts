import { join } from 'node:path';
import {
  address,
  bytes,
  defineConfig,
  durationMs,
  integer,
  listOf,
  path,
  string,
  type Config,
} from '@teu/config';
import { driverAddress } from '@teu/driver-client';
import { DriverAddress } from '@teu/proto/storage';

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
  natsUrl: {
    env: 'TEU_NATS_URL',
    flag: '--nats-url',
    parse: string,
    default: 'nats://127.0.0.1:4222',
    doc: 'Where events go',
  },
  natsSeedFile: {
    env: 'TEU_NATS_SEED_FILE',
    flag: '--nats-seed-file',
    parse: path,
    default: ({ dataDir }) => join(dataDir, 'nats', 'image.nkey'),
    doc: 'File with the nkey seed of this service',
  },
});

export type ImageServiceConfig = Config<typeof imageConfig>;
