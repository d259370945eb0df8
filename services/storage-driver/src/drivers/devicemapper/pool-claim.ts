import { randomInt } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { teuError } from '@teu/errors';
import { writeDurably } from './durable-file.js';
import type { FilesystemType } from './filesystem-type.js';
import type { PoolStatus, PoolVolume, ThinPool } from './thin-pool.js';

/** What a driver's directory says of its pool; the file `pool.json`. */
export interface PoolClaim {
  /** Name of the pool in device-mapper. */
  readonly pool: string;
  /** Whether the driver made it, of files in its directory. */
  readonly isInFiles: boolean;
  readonly filesystem: FilesystemType;
  /** Size of the file system that volumes begin with. */
  readonly baseBytes: number;
  /** Number of the directory, made once. */
  readonly owner: number;
  /** Counts the starts. */
  readonly generation: number;
}

/** How pool and directory met. */
export interface ClaimedPool {
  readonly claim: PoolClaim;
  /** Volumes that are there, of whoever. */
  readonly volumes: readonly PoolVolume[];
  /** What is not as it was left; undefined if all is. */
  readonly surprise: string | undefined;
}

// The transaction id of the pool is 28 bits of owner and 24 of generation: exact in a number of JavaScript.
const OWNER_LIMIT = 2 ** 28;
const GENERATION_LIMIT = 2 ** 24;
const FILE = 'pool.json';

/** Makes the number for a new directory. */
export const newOwner = (): number => randomInt(1, OWNER_LIMIT);

/** Transaction id of a pool that a start has claimed. */
export const transactionOf = ({ owner, generation }: PoolClaim): number =>
  owner * GENERATION_LIMIT + generation;

/** Whether a volume was made by a driver of this directory: volumes keep the transaction they were made in. */
export function isOwn({ owner }: PoolClaim, { transaction }: PoolVolume): boolean {
  return ownerOf(transaction) === owner;
}

/** Reads what earlier starts have left; undefined before the first. @throws STORAGE_FAILED */
export function readClaim(root: string): PoolClaim | undefined {
  let text: string;
  try {
    text = readFileSync(join(root, FILE), 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
  const claim = parseClaim(text);
  if (claim !== undefined) return claim;
  throw teuError('STORAGE_FAILED', `storage driver devicemapper: its file ${FILE} is damaged`);
}

/**
 * Makes the pool this directory's, for this start.
 *
 * The transaction id says whose the pool is. The file first, then the pool: a crash in between leaves a
 * file that is one start ahead, which the next one takes for what it is.
 *
 * @param claim - As it was read, or a new one.
 * @throws DRIVER_UNSUPPORTED if the pool belongs, or belonged meanwhile, to somebody else
 */
export async function claimPool(
  root: string,
  pool: ThinPool,
  status: PoolStatus,
  claim: PoolClaim,
): Promise<ClaimedPool> {
  const volumes = await pool.volumes();
  const surprise = compare(claim, status, volumes);
  const { generation } = claim;
  const found = ownerOf(status.transaction) === claim.owner ? generationOf(status.transaction) : 0;
  const next = { ...claim, generation: Math.max(generation, found) + 1 };
  if (next.generation >= GENERATION_LIMIT) throw usedUp(claim);
  writeDurably(join(root, FILE), `${JSON.stringify(next, undefined, 2)}\n`);
  await pool.setTransaction(status.transaction, transactionOf(next));
  return { claim: next, volumes, surprise };
}

/** Returns what is odd about the pool and does no harm. @throws DRIVER_UNSUPPORTED */
function compare(
  claim: PoolClaim,
  { transaction }: PoolStatus,
  volumes: readonly PoolVolume[],
): string | undefined {
  const { generation } = claim;
  if (ownerOf(transaction) !== claim.owner) {
    if (volumes.length > 0) throw foreign(claim, transaction, volumes);
    return generation <= 1 ? undefined : 'the pool was made anew: it is empty';
  }
  const found = generationOf(transaction);
  // One start may have been interrupted between the file and the pool.
  if (found === generation || found === generation - 1) return undefined;
  const [older, newer] =
    found > generation ? ['the directory', 'the pool'] : ['the pool', 'the directory'];
  return `${older} is older than ${newer}, as if it had been put back: start ${Math.min(found, generation)} of ${Math.max(found, generation)}`;
}

function foreign(
  { pool, owner }: PoolClaim,
  transaction: number,
  volumes: readonly PoolVolume[],
): Error {
  const own = volumes.filter((volume) => ownerOf(volume.transaction) === owner).length;
  const whose =
    own === 0
      ? `it holds ${volumes.length} volumes of somebody else; give an empty one`
      : `somebody else has used it (its transaction id is ${transaction}), and ${own} volumes in it are of this driver; to go on, have nobody else use it and say: dmsetup message ${pool} 0 set_transaction_id ${transaction} ${owner * GENERATION_LIMIT + 1}`;
  const text = `storage driver devicemapper cannot use the thin pool ${pool}: ${whose}`;
  return teuError('DRIVER_UNSUPPORTED', text, { metadata: { driver: 'devicemapper' } });
}

function usedUp({ pool }: PoolClaim): Error {
  const text = `storage driver devicemapper was started ${GENERATION_LIMIT - 1} times on the pool ${pool}, and cannot count further`;
  return teuError('DRIVER_UNSUPPORTED', text, { metadata: { driver: 'devicemapper' } });
}

const ownerOf = (transaction: number): number => Math.floor(transaction / GENERATION_LIMIT);
const generationOf = (transaction: number): number => transaction % GENERATION_LIMIT;

function parseClaim(text: string): PoolClaim | undefined {
  let found: Record<string, unknown>;
  try {
    found = JSON.parse(text) as Record<string, unknown>;
  } catch {
    return undefined;
  }
  const { pool, isInFiles, filesystem, baseBytes, owner, generation } = found;
  const isCount = (value: unknown, limit: number): value is number =>
    Number.isSafeInteger(value) && (value as number) >= 0 && (value as number) < limit;
  const isWhole =
    typeof pool === 'string' &&
    typeof isInFiles === 'boolean' &&
    (filesystem === 'ext4' || filesystem === 'xfs') &&
    isCount(baseBytes, Number.MAX_SAFE_INTEGER) &&
    isCount(owner, OWNER_LIMIT) &&
    isCount(generation, GENERATION_LIMIT);
  return isWhole ? { pool, isInFiles, filesystem, baseBytes, owner, generation } : undefined;
}
