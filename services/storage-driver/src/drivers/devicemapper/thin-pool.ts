import { join } from 'node:path';
import { KernelError, type NativeProgram } from '../../native-program.js';

/** For what the kernel does in one transaction of the pool, which others may have to wait for. */
const SHORT_MS = 60_000;
/** For what takes as long as there is data. */
const LONG_MS = 30 * 60_000;
/**
 * How large the devices of volumes are, which costs nothing. How much a volume may hold is what its file
 * system is made, grown or limited to.
 */
const DEVICE_BYTES = 2 ** 44;
/** Blocks of metadata (drivers/md/persistent-data). */
const METADATA_BLOCK_BYTES = 4096;

/** Modes of a pool by the numbers of native/src/dm/pool_text.h. */
const MODES = ['writable', 'no space', 'read-only', 'failed'] as const;

/** What the kernel says of a pool. */
export interface PoolStatus {
  readonly transaction: number;
  readonly usedMetadataBytes: number;
  readonly metadataBytes: number;
  readonly usedBytes: number;
  readonly bytes: number;
  readonly blockBytes: number;
  readonly mode: (typeof MODES)[number];
  /** Whether who finds it full waits, instead of getting an error. */
  readonly isQueueing: boolean;
  readonly needsCheck: boolean;
}

/** A volume as the pool knows it. */
export interface PoolVolume {
  readonly volume: number;
  /** Transaction of the pool when the volume was made. */
  readonly transaction: number;
  readonly mappedBlocks: number;
}

/** How full the file system of a volume is. */
export interface Figures {
  readonly totalBytes: number;
  readonly usedBytes: number;
  readonly inodes: number;
  /** What has a block of the pool, shared or not. */
  readonly mappedBytes: number;
}

/** A thin pool, by the program teu-dm; native/src/dm/requests.h has the verbs. */
export class ThinPool {
  /** Where the devices of volumes are. */
  readonly directory: string;
  readonly #program: NativeProgram;
  #blockBytes: number | undefined;

  /**
   * @param name - Of the pool in device-mapper.
   * @param program - teu-dm for that pool; closed with this.
   */
  constructor(name: string, program: NativeProgram) {
    this.directory = join('/dev', name.startsWith('teu-') ? name : `teu-${name}`);
    this.#program = program;
  }

  device(volume: number): string {
    return join(this.directory, String(volume));
  }

  /** @throws KernelError EINVAL if the kernel has no thin pools */
  async probe(): Promise<void> {
    await this.#ask(SHORT_MS, 'probe');
  }

  /** Undefined if there is no such pool. @throws KernelError EINVAL if the device is none */
  async find(): Promise<PoolStatus | undefined> {
    return await this.status().catch(unless('ENXIO', undefined));
  }

  async status(): Promise<PoolStatus> {
    const [
      transaction = 0,
      usedMetadata = 0,
      metadata = 0,
      used = 0,
      total = 0,
      blockBytes = 0,
      mode = 0,
      isQueueing = 0,
      needsCheck = 0,
    ] = await this.#ask(SHORT_MS, 'status');
    return {
      transaction,
      usedMetadataBytes: usedMetadata * METADATA_BLOCK_BYTES,
      metadataBytes: metadata * METADATA_BLOCK_BYTES,
      usedBytes: used * blockBytes,
      bytes: total * blockBytes,
      blockBytes,
      mode: MODES[mode] ?? 'failed',
      isQueueing: isQueueing === 1,
      needsCheck: needsCheck === 1,
    };
  }

  /** Makes a pool of the files `data` and `metadata`, which are made, or made longer, if need be. */
  async make(dataBytes: number, metadataBytes: number, lowBlocks: number): Promise<void> {
    await this.#ask(SHORT_MS, 'make-pool', dataBytes, metadataBytes, lowBlocks);
  }

  /** Takes the pool from the kernel; its files stay. @throws KernelError EBUSY if volumes are active */
  async drop(): Promise<void> {
    await this.#ask(SHORT_MS, 'drop-pool');
  }

  /** @throws KernelError EEXIST */
  async create(volume: number): Promise<void> {
    await this.#ask(SHORT_MS, 'create', volume);
  }

  /** @throws KernelError EEXIST; ENODATA without an origin */
  async snapshot(origin: number, volume: number): Promise<void> {
    await this.#ask(SHORT_MS, 'snapshot', origin, volume);
  }

  /** Does nothing if there is no such volume. @throws KernelError EBUSY if it is active */
  async delete(volume: number): Promise<void> {
    await this.#ask(LONG_MS, 'delete', volume).catch(unless('ENODATA', []));
  }

  /** @throws KernelError EINVAL if the transaction is not `from` */
  async setTransaction(from: number, to: number): Promise<void> {
    await this.#ask(SHORT_MS, 'transaction', from, to);
  }

  /** All volumes, active or not, by number. */
  async volumes(): Promise<PoolVolume[]> {
    const values = await this.#ask(LONG_MS, 'volumes');
    const volumes: PoolVolume[] = [];
    for (let at = 0; at + 2 < values.length; at += 3) {
      const [volume = 0, transaction = 0, mappedBlocks = 0] = values.slice(at, at + 3);
      volumes.push({ volume, transaction, mappedBlocks });
    }
    return volumes;
  }

  /** Bytes of the blocks that were mapped or copied since the volume was made; 0 without it. */
  async ownBytes(volume: number): Promise<number> {
    const blocks = first(await this.#ask(LONG_MS, 'own', volume).catch(unless('ENOENT', [])));
    return blocks * (await this.blockBytes());
  }

  /** Of a block, which a pool keeps for ever. */
  async blockBytes(): Promise<number> {
    return (this.#blockBytes ??= (await this.status()).blockBytes);
  }

  /** Makes the device of a volume. Does nothing if it is there. @throws KernelError EBUSY, ENODATA */
  async activate(volume: number, access: 'ro' | 'rw'): Promise<void> {
    await this.#ask(SHORT_MS, 'activate', volume, DEVICE_BYTES, access);
  }

  /** Returns whether the device is gone; one that is open goes when it is closed. */
  async deactivate(volume: number): Promise<boolean> {
    return first(await this.#ask(SHORT_MS, 'deactivate', volume)) === 1;
  }

  active(): Promise<number[]> {
    return this.#ask(SHORT_MS, 'active');
  }

  /** How often a device is open; undefined if there is none. */
  async timesOpened(volume: number): Promise<number | undefined> {
    const found = await this.#ask(SHORT_MS, 'opened', volume).catch(unless('ENXIO', undefined));
    return found?.[0];
  }

  /** Of an active volume. */
  async measure(volume: number): Promise<Figures> {
    const found = await this.#ask(LONG_MS, 'measure', volume);
    const [totalBytes = 0, usedBytes = 0, inodes = 0, mappedBytes = 0] = found;
    return { totalBytes, usedBytes, inodes, mappedBytes };
  }

  /** Has the file system of an active volume that nobody uses in order, and all of it on the disk. */
  async settle(volume: number): Promise<void> {
    await this.#ask(LONG_MS, 'settle', volume);
  }

  /** Makes a new file system an empty tree. */
  async empty(volume: number): Promise<void> {
    await this.#ask(SHORT_MS, 'empty', volume);
  }

  /** Frees the blocks of an active volume also below the pool. @throws KernelError EBUSY */
  async discardBlocks(volume: number, bytes: number): Promise<void> {
    await this.#ask(LONG_MS, 'discard', volume, bytes);
  }

  /** Mounts an active volume where nobody sees it. Returns the path of its root, for other processes. */
  async hold(volume: number, access: 'ro' | 'rw'): Promise<string> {
    const fd = first(await this.#ask(SHORT_MS, 'hold', volume, access));
    return `/proc/${this.#program.pid ?? 0}/fd/${fd}`;
  }

  /** Ends what `hold` or `limit` have begun. */
  async release(volume: number): Promise<void> {
    await this.#ask(SHORT_MS, 'release', volume);
  }

  /** Has the file system of an active volume hold so much and no more, as long as it is mounted. */
  async limit(volume: number, maximumBytes: number): Promise<void> {
    await this.#ask(LONG_MS, 'limit', volume, maximumBytes);
  }

  async unlimit(volume: number): Promise<void> {
    await this.#ask(SHORT_MS, 'unlimit', volume);
  }

  close(): Promise<void> {
    return this.#program.close();
  }

  #ask(timeoutMs: number, ...words: readonly (string | number)[]): Promise<number[]> {
    return this.#program.request(timeoutMs, ...words);
  }
}

/** A value for one way of being refused. */
function unless<T>(code: string, value: T): (error: unknown) => T {
  return (error) => {
    if (error instanceof KernelError && error.code === code) return value;
    throw error;
  };
}

function first([value = 0]: readonly number[]): number {
  return value;
}
