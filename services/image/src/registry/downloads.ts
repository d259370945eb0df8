import { createHash, type Hash } from 'node:crypto';
import type { FileHandle } from 'node:fs/promises';
import type { BlobSink, Retries } from '@teu/registry';
import { createBlobGrowth, type BlobGrowth } from '../layers/blob-growth.js';
import type { BlobStore } from '../store/blob-store.js';
import type { IngestStore } from '../store/ingest-store.js';

/** A blob to be brought. */
export interface WantedBlob {
  digest: string;
  /** Bytes. */
  size: number;
}

/** Brings what is missing into a sink. */
export type FetchBlob = (sink: BlobSink, signal: AbortSignal, retries: Retries) => Promise<void>;

/** One who wants a blob. */
export interface DownloadRequest {
  blob: WantedBlob;
  fetch: FetchBlob;
  /** Told of bytes that are there, and how many of them were before. */
  progress(current: number, resumed: number): void;
  retrying: (error: Error, waitMs: number) => void;
  signal: AbortSignal;
}

/** A blob on its way. */
export interface Incoming {
  /** Its file, which grows. To be closed by the caller. */
  open(): Promise<FileHandle>;
  growth: BlobGrowth;
  /** The download had to begin anew: whoever followed the growth has seen what does not count. */
  isRestarted: () => boolean;
  /** Resolves when the file is whole, verified and synced; rejects when there is no hope for this caller. */
  done: Promise<unknown>;
}

/** Downloads of blobs, each file of them in the ingest store. */
export interface Downloads {
  /** Takes part in the download of a blob; each is downloaded once however many want it. */
  join(request: DownloadRequest): Promise<Incoming>;
}

const WRITE_BYTES = 512 * 1024;

/** All downloads of the service. */
export function createDownloads(parts: {
  ingests: IngestStore;
  blobs: Pick<BlobStore, 'open'>;
}): Downloads {
  const jobs = new Map<string, Job>();
  return {
    join: async (request) => {
      const { digest } = request.blob;
      let job = jobs.get(digest);
      if (job === undefined) {
        const made: Job = new Job(parts, request.blob, () => {
          if (jobs.get(digest) === made) jobs.delete(digest);
        });
        jobs.set(digest, made);
        job = made;
      }
      return job.join(request);
    },
  };
}

interface Participant extends DownloadRequest {
  settle: PromiseWithResolvers<undefined>;
}

/**
 * The download of one blob. It is made with the connections of whoever came first; if that one gives up or is refused,
 * the next one goes on from there.
 */
class Job {
  readonly #parts: Parameters<typeof createDownloads>[0];
  readonly #blob: WantedBlob;
  readonly #onEnd: () => void;
  readonly #participants: Participant[] = [];
  readonly #growth = createBlobGrowth();
  readonly #opened = Promise.withResolvers<undefined>();
  #isRestarted = false;
  #isRunning = false;

  constructor(parts: Parameters<typeof createDownloads>[0], blob: WantedBlob, onEnd: () => void) {
    this.#parts = parts;
    this.#blob = blob;
    this.#onEnd = onEnd;
    this.#opened.promise.catch(() => undefined);
  }

  async join(request: DownloadRequest): Promise<Incoming> {
    const participant = { ...request, settle: Promise.withResolvers<undefined>() };
    const { promise } = participant.settle;
    promise.catch(() => undefined);
    this.#participants.push(participant);
    const leave = (): void => {
      const index = this.#participants.indexOf(participant);
      // The first one's transfer ends by itself with the same signal.
      if (index > 0) this.#participants.splice(index, 1);
      participant.settle.reject(request.signal.reason);
    };
    request.signal.addEventListener('abort', leave, { once: true });
    const forget = (): void => request.signal.removeEventListener('abort', leave);
    promise.then(forget, forget);
    if (!this.#isRunning) {
      this.#isRunning = true;
      void this.#run();
    }
    await Promise.race([this.#opened.promise, promise]);
    return {
      open: () => this.#open(),
      growth: this.#growth,
      isRestarted: () => this.#isRestarted,
      done: promise,
    };
  }

  async #open(): Promise<FileHandle> {
    const { digest } = this.#blob;
    return (await this.#parts.ingests.openIfThere(digest)) ?? this.#parts.blobs.open(digest);
  }

  async #run(): Promise<void> {
    let sink: FileSink | undefined;
    try {
      const { digest, size } = this.#blob;
      const file = await this.#parts.ingests.open(digest, size);
      sink = new FileSink(
        file,
        (bytes) => this.#advance(bytes),
        () => this.#restart(),
      );
      this.#opened.resolve(undefined);
      await sink.readWhatIsThere(size);
      await this.#transfer(sink);
    } catch (error) {
      this.#opened.reject(error);
      this.#failAll(error);
    } finally {
      this.#onEnd();
      this.#growth.end();
      await sink?.close().catch(() => undefined);
    }
  }

  async #transfer(sink: FileSink): Promise<void> {
    for (let first = this.#participants[0]; first; first = this.#participants[0]) {
      const { fetch, signal, retrying } = first;
      try {
        await fetch(sink, signal, { onRetry: retrying });
        await sink.finish();
        for (const participant of this.#participants.splice(0))
          participant.settle.resolve(undefined);
      } catch (error) {
        await sink.flush().catch(() => undefined);
        // The disk does not get better by another's connection.
        if (sink.isBroken) throw error;
        first.settle.reject(error);
        this.#participants.shift();
      }
    }
    // In the same turn in which nobody is left: who comes now begins anew, and is not forgotten with this one.
    this.#onEnd();
  }

  #failAll(cause: unknown): void {
    const error = cause instanceof Error ? cause : new Error('the download failed', { cause });
    for (const participant of this.#participants.splice(0)) {
      participant.settle.reject(error);
    }
    this.#growth.abort(error);
  }

  #advance({ written, resumed }: { written: number; resumed: number }): void {
    if (!this.#isRestarted) this.#growth.advance(written);
    for (const participant of this.#participants) participant.progress(written, resumed);
  }

  #restart(): void {
    this.#isRestarted = true;
    this.#growth.abort(new Error('the download began anew'));
  }
}

/** The file of a blob that comes. Its digest is computed on the way, also of what was there before. */
class FileSink implements BlobSink {
  readonly #file: FileHandle;
  readonly #onBytes: (bytes: { written: number; resumed: number }) => void;
  readonly #onRestart: () => void;
  #hash: Hash = createHash('sha256');
  #waiting: Uint8Array[] = [];
  #waitingBytes = 0;
  #written = 0;
  #resumed = 0;
  /** A write failed: what is in the file is not what was hashed. */
  isBroken = false;

  constructor(
    file: FileHandle,
    onBytes: (bytes: { written: number; resumed: number }) => void,
    onRestart: () => void,
  ) {
    this.#file = file;
    this.#onBytes = onBytes;
    this.#onRestart = onRestart;
  }

  get size(): number {
    return this.#written + this.#waitingBytes;
  }

  /** Hashes what an earlier download has left; more than the blob can have is nothing of it. */
  async readWhatIsThere(size: number): Promise<void> {
    const { size: there } = await this.#file.stat();
    if (there > size) {
      await this.#file.truncate(0);
      return;
    }
    const buffer = Buffer.allocUnsafe(1024 * 1024);
    while (this.#written < there) {
      const { bytesRead } = await this.#file.read(buffer, 0, buffer.length, this.#written);
      if (bytesRead === 0) break;
      this.#hash.update(buffer.subarray(0, bytesRead));
      this.#written += bytesRead;
    }
    this.#resumed = this.#written;
    if (this.#written > 0) this.#tell();
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#waiting.push(chunk);
    this.#waitingBytes += chunk.length;
    if (this.#waitingBytes >= WRITE_BYTES) await this.flush();
  }

  /** Writes what was collected. */
  async flush(): Promise<void> {
    if (this.#waitingBytes === 0) return;
    const pieces = this.#waiting;
    let at = this.#written;
    const bytes = Buffer.concat(pieces);
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#written += bytes.length;
    this.#hash.update(bytes);
    try {
      for (let done = 0; done < bytes.length;) {
        const { bytesWritten } = await this.#file.write(bytes, done, bytes.length - done, at);
        done += bytesWritten;
        at += bytesWritten;
      }
    } catch (error) {
      this.isBroken = true;
      throw error;
    }
    this.#tell();
  }

  async restart(): Promise<void> {
    this.#onRestart();
    this.#waiting = [];
    this.#waitingBytes = 0;
    this.#written = 0;
    this.#resumed = 0;
    this.#hash = createHash('sha256');
    await this.#file.truncate(0);
  }

  digest(): string {
    const hash = this.#hash.copy();
    for (const piece of this.#waiting) hash.update(piece);
    return `sha256:${hash.digest('hex')}`;
  }

  /** All is there and on the disk. */
  async finish(): Promise<void> {
    await this.flush();
    await this.#file.datasync();
  }

  close(): Promise<void> {
    return this.#file.close();
  }

  #tell(): void {
    this.#onBytes({ written: this.#written, resumed: this.#resumed });
  }
}
