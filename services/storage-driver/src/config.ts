import {
  address,
  bytes,
  defineConfig,
  eventKeys,
  integer,
  oneOf,
  path,
  string,
  type Config,
  type Parser,
} from '@teu/config';
import { FILESYSTEM_TYPES, type FilesystemType } from './drivers/devicemapper/filesystem-type.js';
import { DRIVER_NAMES } from './drivers/index.js';

const optionalAddress: Parser<string | undefined> = address;
const optionalProbe: Parser<'first' | 'all' | undefined> = oneOf('first', 'all');
const optionalText: Parser<string | undefined> = string;
const optionalPath: Parser<string | undefined> = path;
const optionalBytes: Parser<number | undefined> = bytes;
const optionalFilesystem: Parser<FilesystemType | undefined> = oneOf(...FILESYSTEM_TYPES);

/** Where the name of the driver decides a default, the main program fills it in (see server.ts). */
export const storageDriverConfig = defineConfig({
  driver: {
    env: 'TEU_STORAGE_DRIVER',
    flag: '--driver',
    parse: oneOf(...DRIVER_NAMES),
    default: 'overlay2',
    doc: 'Driver that this process is',
  },
  address: {
    env: 'TEU_STORAGE_ADDRESS',
    flag: '--address',
    parse: optionalAddress,
    default: undefined,
    doc: 'Where to serve; default unix:<run dir>/<driver>.sock',
  },
  root: {
    env: 'TEU_STORAGE_ROOT',
    flag: '--root',
    parse: optionalPath,
    default: undefined,
    doc: 'Directory of the driver; default <data dir>/<driver>',
  },
  probe: {
    flag: '--probe',
    parse: optionalProbe,
    default: undefined,
    doc: 'Serve nothing; print what each driver says of this host, all or until the first that works',
  },
  zfsDataset: {
    env: 'TEU_STORAGE_ZFS_DATASET',
    flag: '--zfs-dataset',
    parse: optionalText,
    default: undefined,
    doc: 'Dataset that zfs keeps its data in; default that of its directory',
  },
  dmPool: {
    env: 'TEU_STORAGE_DM_POOL',
    flag: '--dm-pool',
    parse: optionalText,
    default: undefined,
    doc: 'Thin pool that devicemapper keeps its data in; default one of files in its directory, to try it',
  },
  dmFilesystem: {
    env: 'TEU_STORAGE_DM_FILESYSTEM',
    flag: '--dm-filesystem',
    parse: optionalFilesystem,
    default: undefined,
    doc: 'What its volumes hold; default ext4',
  },
  dmBaseSize: {
    env: 'TEU_STORAGE_DM_BASE_SIZE',
    flag: '--dm-base-size',
    parse: optionalBytes,
    default: undefined,
    doc: 'Size of a container without a limit, image included; default 10GiB',
  },
  dmDataSize: {
    env: 'TEU_STORAGE_DM_DATA_SIZE',
    flag: '--dm-data-size',
    parse: optionalBytes,
    default: undefined,
    doc: 'Size of a pool of files, which take what is used of it; default 100GiB',
  },
  dmMetadataSize: {
    env: 'TEU_STORAGE_DM_METADATA_SIZE',
    flag: '--dm-metadata-size',
    parse: optionalBytes,
    default: undefined,
    doc: 'Size of its metadata; default a 256th of the data, and at least 16MiB',
  },
  dmMinFree: {
    env: 'TEU_STORAGE_DM_MIN_FREE',
    flag: '--dm-min-free',
    parse: integer({ min: 0, max: 99 }),
    default: 10,
    doc: 'Percent of the pool that have to be free for a new snapshot',
  },
  ...eventKeys('storage'),
});

export type StorageDriverConfig = Config<typeof storageDriverConfig>;
