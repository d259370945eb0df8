import { failpoint } from '@teu/failpoint';
import type { Logger } from '@teu/log';
import { Kind } from '@teu/proto/snapshots';
import type { Manifests } from './manifests.js';
import type { SnapshotRecord } from './record.js';
import type { SnapshotRecords } from './records.js';
import type { TreeJobs } from './tree-jobs.js';

/** What sealing works with. */
export interface SealerParts {
  readonly records: SnapshotRecords;
  readonly manifests: Manifests;
  readonly trees: TreeJobs;
  readonly log: Logger;
}

/** A commit is seldom alone, and starting a program keeps this one from answering for some milliseconds. */
const DELAY_MS = 300;

/**
 * Writes the manifests of committed snapshots, in the background, one at a time. Nothing waits for it:
 * a snapshot without a manifest is as good as any, it can only not be checked yet.
 */
export class Sealer {
  readonly #parts: SealerParts;
  /** Where sealing failed; tried again at the next start, or when a check asks. */
  readonly #failed = new Set<number>();
  /** A check and the background may want the same manifest, which is one file. */
  readonly #underWay = new Map<number, Promise<unknown>>();
  #running: Promise<void> | undefined;
  #again = false;
  #timer: NodeJS.Timeout | undefined;
  #isClosed = false;

  constructor(parts: SealerParts) {
    this.#parts = parts;
  }

  /** Has what has no manifest sealed soon, or the present run look again. Never throws. */
  schedule(): void {
    if (this.#isClosed) return;
    this.#again = true;
    if (this.#running !== undefined) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      this.#running = this.#run().finally(() => {
        this.#running = undefined;
        // Somebody may have asked between the last look of the run and now.
        if (this.#again) this.schedule();
      });
    }, DELAY_MS).unref();
  }

  /** Seals a snapshot soon that has changed, also if that failed before. */
  retry(id: number): void {
    this.#failed.delete(id);
    this.schedule();
  }

  /** Resolves when no run is under way. */
  async idle(): Promise<void> {
    await this.#running;
  }

  /** Takes no more work; what is under way is ended by closing the trees. */
  close(): void {
    this.#isClosed = true;
    clearTimeout(this.#timer);
  }

  /**
   * Writes the manifest of one snapshot.
   *
   * @returns its digest; undefined if the snapshot was removed meanwhile
   * @throws TreeProgramError, errors of the disk
   */
  async seal(record: SnapshotRecord, signal?: AbortSignal): Promise<string | undefined> {
    const { id } = record;
    for (let other = this.#underWay.get(id); other; other = this.#underWay.get(id)) {
      await other.catch(() => undefined);
    }
    const sealed = this.#parts.records.findById(id)?.sealed ?? null;
    if (record.sealed === null && sealed !== null) return sealed;
    const work = this.#write(record, signal);
    this.#underWay.set(id, work);
    try {
      return await work;
    } finally {
      this.#underWay.delete(id);
    }
  }

  async #write(record: SnapshotRecord, signal?: AbortSignal): Promise<string | undefined> {
    const { manifests, records, trees } = this.#parts;
    const digest =
      (await this.#adopt(record)) ??
      (await trees.run(record.id, signal, (tree, ending) => manifests.write(record, tree, ending)));
    if (records.seal(record.id, digest)) {
      failpoint('storage.seal.after-row');
      return digest;
    }
    manifests.remove(record.id);
    return undefined;
  }

  /** A manifest that a crash left without its digest in the row is older, so it is the better one. */
  async #adopt(record: SnapshotRecord): Promise<string | undefined> {
    if (record.sealed !== null) return undefined;
    const found = await this.#parts.manifests.read(record.id);
    const isSame =
      found?.header.name === record.name &&
      found.header.createdAt.getTime() === record.createdAt.getTime();
    return isSame ? found.digest : undefined;
  }

  async #run(): Promise<void> {
    while (this.#again && !this.#isClosed) {
      this.#again = false;
      const { records } = this.#parts;
      for (let record = records.nextUnsealed(0); record; record = this.#next(record.id)) {
        if (!this.#failed.has(record.id)) await this.#sealQuietly(record);
      }
    }
  }

  #next(after: number): SnapshotRecord | undefined {
    return this.#isClosed ? undefined : this.#parts.records.nextUnsealed(after);
  }

  async #sealQuietly(record: SnapshotRecord): Promise<void> {
    try {
      await this.seal(record);
    } catch (error) {
      if (this.#isClosed) return;
      if (this.#parts.records.findById(record.id)?.kind !== Kind.COMMITTED) return;
      this.#failed.add(record.id);
      const text = 'a snapshot has no manifest yet: it cannot be checked';
      this.#parts.log.warn({ err: error, snapshot: record.name }, text);
    }
  }
}
