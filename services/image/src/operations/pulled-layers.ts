import { existsSync } from 'node:fs';
import { failpoint } from '@teu/failpoint';
import { LoadStep, TransferStep, type Layer } from '@teu/proto/image';
import type { Repository } from '@teu/registry';
import type { SourceLayer } from '../archive/image-source.js';
import { chainIds } from '../domain/chain-id.js';
import type { Descriptor } from '../domain/manifest.js';
import { layerCompression } from '../domain/media-types.js';
import type { FetchBlob, Incoming } from '../registry/downloads.js';
import { createLimiter, type Limiter } from '../registry/limiter.js';
import { fromAny, type RemoteImage } from '../registry/remote-image.js';
import type { ImageParts } from './image-parts.js';
import { isWhole } from './load-layer.js';
import type { LoadScope, ReportProgress } from './load-scope.js';
import { TransferReport, type ReportTransfer } from './transfer-report.js';

/** Whose layers these are. */
export interface PulledLayersContext {
  signal: AbortSignal;
  report: ReportTransfer;
  /** Ends the pull. */
  giveUp: (error: unknown) => void;
}

/** The layers of one pull: those that are not in the store are downloaded beside each other. */
export class PulledLayers {
  /** As the loading of layers takes them; from the base up. */
  readonly sources: SourceLayer[];
  /** Bytes that came over the network. */
  downloadedBytes = 0;
  readonly #parts: ImageParts;
  readonly #hosts: readonly Repository[];
  readonly #signal: AbortSignal;
  readonly #giveUp: (error: unknown) => void;
  readonly #limiter: Limiter;
  readonly #blobs: ReadonlyMap<string, Descriptor>;
  readonly #reports: ReadonlyMap<string, TransferReport>;
  readonly #incoming = new Map<string, Promise<Incoming>>();

  constructor(
    parts: ImageParts,
    hosts: readonly Repository[],
    remote: RemoteImage,
    { signal, report, giveUp }: PulledLayersContext,
  ) {
    this.#parts = parts;
    this.#hosts = hosts;
    this.#signal = signal;
    this.#giveUp = giveUp;
    this.#limiter = createLimiter(parts.registry.maxTransfers);
    this.#blobs = new Map(remote.layers.map((layer) => [layer.digest, layer]));
    const reports = remote.layers.map(({ digest, size }) => {
      return [digest, new TransferReport(report, digest, size)] as const;
    });
    this.#reports = new Map(reports);
    this.sources = remote.layers.map(({ mediaType, digest, size }, index) => ({
      ...{ mediaType, digest, size, compression: layerCompression(mediaType) },
      diffId: remote.diffIds[index] ?? '',
      place: () => Promise.reject(new Error('a layer from a registry has no place in an archive')),
      incoming: () => this.#begin(digest),
    }));
  }

  /** Begins to download, the lowest layers first. */
  begin(scope: LoadScope): void {
    for (const { digest } of this.#blobs.values()) {
      scope.pin(digest);
      if (isWhole(this.#parts.blobs, digest)) this.#tell(digest, TransferStep.TRANSFER_STEP_EXISTS);
      else this.#begin(digest).catch(() => undefined);
    }
  }

  /** Brings the blobs and unpacks nothing. */
  async downloadOnly(scope: LoadScope): Promise<Layer[]> {
    await Promise.all([...this.#incoming.values()].map(async (incoming) => (await incoming).done));
    const chain = chainIds(this.sources.map(({ diffId = '' }) => diffId));
    const { snapshots } = this.#parts;
    return this.sources.map(({ diffId = '', digest = '', mediaType = '', size = 0 }, index) => {
      const chainId = chain[index] ?? '';
      scope.pin(chainId);
      const [driver] = snapshots.driversOf(chainId);
      const known = driver === undefined ? undefined : snapshots.find(driver, chainId);
      const sizeBytes = known?.sizeBytes ?? 0;
      return { diffId, chainId, digest, mediaType, blobBytes: size, sizeBytes };
    });
  }

  /** Puts what came in its place among the blobs. Not recorded yet, so that nobody finds it. */
  promote(scope: LoadScope): void {
    const { blobs, ingests } = this.#parts;
    for (const { digest, size } of this.#arrived()) {
      // Another pull of the same may have been first.
      if (!isWhole(blobs, digest) && existsSync(ingests.path(digest))) {
        blobs.promote(ingests.path(digest), digest);
      }
      scope.ingested(digest, size);
    }
  }

  /** In the transaction that records them. */
  finish(): void {
    for (const { digest } of this.#arrived()) this.#parts.ingests.finish(digest);
  }

  /** What the loading of layers tells. */
  readonly onLoadStep: ReportProgress = (step, digest, currentBytes) => {
    if (step === LoadStep.LOAD_STEP_INGEST) return;
    const exists = step === LoadStep.LOAD_STEP_EXISTS;
    const told = exists ? TransferStep.TRANSFER_STEP_EXISTS : TransferStep.TRANSFER_STEP_DONE;
    this.#reports.get(digest)?.tell({ step: told, currentBytes });
  };

  #arrived(): Descriptor[] {
    return [...this.#incoming.keys()].flatMap((digest) => this.#blobs.get(digest) ?? []);
  }

  #tell(digest: string, step: TransferStep): void {
    const currentBytes = this.#blobs.get(digest)?.size ?? 0;
    this.#reports.get(digest)?.tell({ step, currentBytes });
  }

  #begin(digest: string): Promise<Incoming> {
    const known = this.#incoming.get(digest);
    if (known) return known;
    const begun = this.#join(digest);
    this.#incoming.set(digest, begun);
    return begun;
  }

  async #join(digest: string): Promise<Incoming> {
    const { size = 0 } = this.#blobs.get(digest) ?? {};
    const report = this.#reports.get(digest);
    report?.tell({ step: TransferStep.TRANSFER_STEP_WAITING });
    let last: number | undefined;
    const incoming = await this.#parts.downloads.join({
      blob: { digest, size },
      fetch: this.#fetch(digest, size),
      progress: (currentBytes, resumedBytes) => {
        this.downloadedBytes += Math.max(0, currentBytes - (last ?? resumedBytes));
        last = currentBytes;
        const step = TransferStep.TRANSFER_STEP_TRANSFERRING;
        report?.tell({ step, currentBytes, resumedBytes });
      },
      retrying: (error, waitMs) => {
        const detail = `${error.message}; next try in ${(waitMs / 1000).toFixed(1)} s`;
        report?.tell({ step: TransferStep.TRANSFER_STEP_RETRYING, detail });
      },
      signal: this.#signal,
    });
    const arrived = incoming.done.then(() => {
      failpoint('image.pull.after-download');
      const step = TransferStep.TRANSFER_STEP_UNPACKING;
      report?.tell({ step, currentBytes: size });
    });
    // One that can't be had is the end of all of them.
    arrived.catch(this.#giveUp);
    return { ...incoming, done: arrived };
  }

  /** From the host that answered, and from the others if that one can't. */
  #fetch(digest: string, size: number): FetchBlob {
    return (sink, signal, retries) =>
      this.#limiter.run(signal, () =>
        this.#parts.downloadLimiter.run(signal, () =>
          fromAny(this.#hosts, signal, (host) =>
            host.readBlob({ digest, size }, sink, signal, retries),
          ),
        ),
      );
  }
}
