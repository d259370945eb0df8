import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { nativeBinary } from '@teu/config';
import { formatErrorChain, isTeuError, teuError } from '@teu/errors';
import type { Logger } from '@teu/log';
import { NativeProgram } from '../../native-program.js';
import { findMkfs, LEAST_BYTES, makeBase } from './base-volume.js';
import { DeviceMapperDriver } from './devicemapper-driver.js';
import type { FilesystemType } from './filesystem-type.js';
import { claimPool, newOwner, readClaim, type PoolClaim } from './pool-claim.js';
import { ThinPool, type PoolStatus } from './thin-pool.js';
import { BASE } from './volume-ids.js';

const CONTROL = '/dev/mapper/control';
/** Directory of the files of a pool. */
const FILES = 'pool';
const GIBIBYTE = 2 ** 30;
const MEBIBYTE = 2 ** 20;
const BASE_BYTES = 10 * GIBIBYTE;
const DATA_BYTES = 100 * GIBIBYTE;
const LEAST_FREE_PERCENT = 10;
/** Of the data; a block of 64 KiB takes about 50 bytes, more with many snapshots (thin_metadata_size(8)). */
const METADATA_PART = 256;
const LEAST_METADATA_BYTES = 16 * MEBIBYTE;
/** What the kernel can use (dm-thin-metadata.h, THIN_METADATA_MAX_SECTORS). */
const MOST_METADATA_BYTES = 16_000 * MEBIBYTE;
const POOL_NAME = /^[A-Za-z0-9+_-][A-Za-z0-9+_.-]{0,99}$/;

/** Where the driver is to keep its data. */
export interface DeviceMapperOptions {
  /** A thin pool that is there; absent for one of files in the driver's directory. */
  readonly dmPool?: string | undefined;
  readonly dmFilesystem?: FilesystemType | undefined;
  readonly dmBaseSize?: number | undefined;
  /** Sizes of the files. */
  readonly dmDataSize?: number | undefined;
  readonly dmMetadataSize?: number | undefined;
  /** Percent of the pool that have to be free for a new snapshot. */
  readonly dmMinFree?: number | undefined;
  readonly log?: Logger | undefined;
}

/**
 * Finds or makes the thin pool, makes it this directory's, and makes the driver.
 *
 * @param root - Data directory of the driver; it exists.
 * @throws DRIVER_UNSUPPORTED saying what is missing and what to do
 */
export async function openDeviceMapperDriver(
  root: string,
  options: DeviceMapperOptions = {},
): Promise<DeviceMapperDriver> {
  const wanted = planClaim(readClaim(root), options);
  findMkfs(wanted.filesystem);
  if (wanted.isInFiles) mkdirSync(join(root, FILES), { recursive: true, mode: 0o700 });
  const pool = startProgram(root, wanted);
  try {
    await requireTargets(pool);
    const status = await findPool(pool, wanted, options);
    if (wanted.isInFiles) {
      options.log?.warn(
        { pool: wanted.pool },
        'the thin pool is kept in files, by loop devices: good to try it, slow for real use; give a pool by --dm-pool',
      );
    }
    const { claim, volumes, surprise } = await claimPool(root, pool, status, wanted);
    if (surprise !== undefined) options.log?.warn({ pool: claim.pool }, surprise);
    if (!volumes.some(({ volume }) => volume === BASE)) {
      await makeBase(pool, claim.filesystem, claim.baseBytes);
    }
    return new DeviceMapperDriver(root, pool, claim, options.dmMinFree ?? LEAST_FREE_PERCENT);
  } catch (error) {
    await pool.close();
    throw isTeuError(error) ? error : unsupported(formatErrorChain(error), error);
  }
}

/**
 * Looks whether devicemapper is to be chosen here by itself, which it is for a pool that is given: files
 * by loop devices are slower than plain copies. Leaves nothing behind.
 */
export async function checkDeviceMapperHost(
  root: string,
  options: DeviceMapperOptions = {},
): Promise<void> {
  const pool = options.dmPool;
  if (pool !== undefined) requireName(pool);
  const program = startProgram(root, { pool: pool ?? 'teu-probe', filesystem: 'ext4' });
  try {
    await requireTargets(program);
    if (pool === undefined) {
      throw unsupported(
        'no thin pool is given (--dm-pool); asked for by name, it makes one of files, by loop devices',
      );
    }
    requireWorking(pool, await program.find());
  } finally {
    await program.close();
  }
}

/** @throws DRIVER_UNSUPPORTED if what is asked for is not what is there already */
function planClaim(known: PoolClaim | undefined, options: DeviceMapperOptions): PoolClaim {
  const { dmPool, dmFilesystem, dmBaseSize } = options;
  if (dmPool !== undefined) requireName(dmPool);
  if (known === undefined) {
    const owner = newOwner();
    const filesystem = dmFilesystem ?? 'ext4';
    const baseBytes = dmBaseSize ?? BASE_BYTES;
    if (baseBytes < LEAST_BYTES[filesystem]) {
      throw unsupported(`a file system of ${filesystem} wants ${LEAST_BYTES[filesystem]} bytes`);
    }
    const pool = dmPool ?? `teu-loop-${owner.toString(16)}`;
    const isInFiles = dmPool === undefined;
    return { pool, isInFiles, filesystem, baseBytes, owner, generation: 0 };
  }
  const differs = (what: string, is: string): Error =>
    unsupported(
      `its directory belongs to ${what} ${is}; remove the option, or give another --root`,
    );
  const own = known.isInFiles ? undefined : known.pool;
  if (dmPool !== own) throw differs('the thin pool', own ?? 'of its own files');
  if ((dmFilesystem ?? known.filesystem) !== known.filesystem) {
    throw differs('volumes with', known.filesystem);
  }
  if ((dmBaseSize ?? known.baseBytes) !== known.baseBytes) {
    throw differs('volumes of', `${known.baseBytes} bytes`);
  }
  return known;
}

function startProgram(root: string, plan: Pick<PoolClaim, 'pool' | 'filesystem'>): ThinPool {
  if (!existsSync(CONTROL)) {
    throw unsupported(`there is no ${CONTROL}; try: modprobe dm_thin_pool`);
  }
  const files = join(root, FILES);
  const directory = existsSync(files) ? files : root;
  const program = new NativeProgram({
    driver: 'devicemapper',
    binary: nativeBinary('teu-dm'),
    args: [plan.pool, plan.filesystem, directory],
  });
  return new ThinPool(plan.pool, program);
}

async function requireTargets(pool: ThinPool): Promise<void> {
  try {
    await pool.probe();
  } catch (error) {
    throw unsupported('the kernel has no thin pools (CONFIG_DM_THIN_PROVISIONING)', error);
  }
}

async function findPool(
  pool: ThinPool,
  claim: PoolClaim,
  options: DeviceMapperOptions,
): Promise<PoolStatus> {
  let found = await pool.find();
  if (found === undefined && claim.isInFiles) {
    const dataBytes = options.dmDataSize ?? DATA_BYTES;
    const part = Math.ceil(dataBytes / METADATA_PART / MEBIBYTE) * MEBIBYTE;
    const usual = Math.min(Math.max(part, LEAST_METADATA_BYTES), MOST_METADATA_BYTES);
    await pool.make(dataBytes, options.dmMetadataSize ?? usual, 0);
    found = await pool.find();
  }
  return requireWorking(claim.pool, found);
}

function requireWorking(name: string, status: PoolStatus | undefined): PoolStatus {
  if (status === undefined) throw unsupported(`there is no thin pool ${name}`);
  const { mode, needsCheck } = status;
  if (mode === 'writable' || (mode === 'no space' && !needsCheck)) return status;
  throw unsupported(
    `the thin pool ${name} is ${mode} and has to be repaired (thin_check, thin_repair)`,
  );
}

function requireName(name: string): void {
  if (POOL_NAME.test(name)) return;
  throw unsupported(`"${name.slice(0, 100)}" is no name of a thin pool`);
}

/** @param why - What is in the way, to follow a colon. */
function unsupported(why: string, cause?: unknown): Error {
  return teuError('DRIVER_UNSUPPORTED', `storage driver devicemapper cannot run here: ${why}`, {
    metadata: { driver: 'devicemapper' },
    cause,
  });
}
