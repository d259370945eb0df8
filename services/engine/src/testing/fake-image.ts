import { EventEmitter, on } from 'node:events';
import { teuError } from '@teu/errors';
import {
  Image,
  ImageConfig,
  ImageServiceService,
  Layer,
  type Change,
  type CompareSnapshotsRequest,
  type CompareSnapshotsResponse,
  type PrepareImageRequest,
  type RebuildImageRequest,
  type ReleaseDriverRequest,
  type SetDriversRequest,
  type TagImageRequest,
  type TransplantSnapshotRequest,
  type WatchImagesRequest,
  type WatchImagesResponse,
} from '@teu/proto/image';
import { implement, type CallContext, type Implementation } from '@teu/rpc';
import { unimplemented } from './unimplemented.js';

/** An image service in memory. */
export class FakeImage {
  /** Images by id, without their names. */
  readonly images = new Map<string, Image>();
  /** What names mean: ids of images. */
  readonly names = new Map<string, string>();
  readonly #changes = new EventEmitter();
  #number = 0;
  /** What the engine last told of drivers. */
  drivers: SetDriversRequest | undefined;
  /** Drivers that were released. */
  readonly released: string[] = [];
  /** Why no driver can be released. */
  releaseFailure: Error | undefined;
  /** Number of PrepareImage calls. */
  calls = 0;
  /** What an image is that is made anew; may throw. */
  onRebuild: (request: RebuildImageRequest) => void = () => undefined;
  /** Does what TransplantSnapshot asks for; may throw. */
  onTransplant: (request: TransplantSnapshotRequest) => void = () => undefined;
  /** Differences between snapshots, by "from to". */
  readonly differences = new Map<string, Change[]>();
  /** What else CompareSnapshots tells. */
  onCompare: (request: CompareSnapshotsRequest) => Change[] = () => [];
  /** Told of each image that is unpacked. */
  onPrepare: (snapshot: string, driver: string) => void = () => undefined;

  /** Makes a name mean an image of these layers; resolves when all watchers know. */
  async put(
    reference: string,
    snapshots: string | readonly string[],
    config: Partial<ImageConfig> = {},
  ): Promise<Image> {
    const chain = typeof snapshots === 'string' ? [snapshots] : snapshots;
    const image = this.#add(chain, config);
    this.names.set(reference, image.id);
    await this.#announce([]);
    return image;
  }

  /** Removes a name as the image service does, and its image: the layer is asked back first. */
  async delete(reference: string): Promise<void> {
    const id = this.names.get(reference) ?? '';
    await this.#announce([topOf(this.images.get(id))]);
    this.names.delete(reference);
    this.images.delete(id);
    await this.#announce([]);
  }

  #add(chain: readonly string[], config: Partial<ImageConfig>): Image {
    const image = Image.create({
      id: `sha256:${chain.at(-1) ?? ''}`,
      config: ImageConfig.create(config),
      layers: chain.map((chainId) => Layer.create({ chainId })),
    });
    this.images.set(image.id, image);
    return image;
  }

  /** @throws IMAGE_NOT_FOUND */
  #find(reference: string): Image {
    const image = this.images.get(this.names.get(reference) ?? reference);
    if (image === undefined) {
      throw teuError('IMAGE_NOT_FOUND', `no image is called "${reference}"`);
    }
    const references = [...this.names].flatMap(([name, id]) => (id === image.id ? [name] : []));
    return { ...image, references };
  }

  /** Chains of the fake are names; those of the layers of its own get the new base as a suffix. */
  #rebuild(request: RebuildImageRequest): Image {
    this.onRebuild(request);
    const [image, oldBase, newBase] = [request.reference, request.oldBase, request.newBase].map(
      (reference) => this.#find(reference),
    );
    const own = image?.layers.slice(oldBase?.layers.length) ?? [];
    const base = newBase?.layers.map(({ chainId }) => chainId) ?? [];
    const rebuilt = own.map(({ chainId }) => `${chainId}@${base.at(-1) ?? ''}`);
    return this.#find(this.#add([...base, ...rebuilt], image?.config ?? {}).id);
  }

  /** Number of watchers. */
  get watchers(): number {
    return this.#changes.listenerCount('change');
  }

  async #announce(snapshots: string[]): Promise<void> {
    this.#number += 1;
    const number = this.#number;
    const watchers = this.watchers;
    let acknowledged = 0;
    const done = new Promise<void>((resolve) => {
      this.#changes.on('acknowledged', (upTo: number) => {
        if (upTo === number) acknowledged += 1;
        if (acknowledged === watchers) resolve();
      });
    });
    this.#changes.emit('change', { number, snapshots });
    if (watchers > 0) await done;
    this.#changes.removeAllListeners('acknowledged');
  }

  async *#watch(
    requests: AsyncIterable<WatchImagesRequest>,
    signal: AbortSignal,
  ): AsyncGenerator<WatchImagesResponse> {
    const changes = on(this.#changes, 'change', { signal });
    void this.#readAcknowledgements(requests).catch(() => undefined);
    yield { number: 0, snapshots: [] };
    try {
      for await (const [change] of changes) yield change as WatchImagesResponse;
    } catch {
      // The watcher has gone.
    }
  }

  async #readAcknowledgements(requests: AsyncIterable<WatchImagesRequest>): Promise<void> {
    for await (const { acknowledgedNumber } of requests) {
      this.#changes.emit('acknowledged', acknowledgedNumber);
    }
  }

  get service(): Implementation {
    return implement(ImageServiceService, {
      ...unimplemented(ImageServiceService),
      prepareImage: async ({ reference, driver }: PrepareImageRequest) => {
        this.calls += 1;
        const known = this.drivers?.drivers.map(({ name }) => name) ?? ['overlay2'];
        if (!known.includes(driver)) throw teuError('DRIVER_NOT_FOUND', `no driver ${driver}`);
        const image = this.#find(reference);
        this.onPrepare(topOf(image), driver);
        return { image, driver, snapshot: topOf(image) };
      },
      getImage: async ({ reference }: { reference: string }) => ({ image: this.#find(reference) }),
      listImages: async () => ({
        images: [...this.images.keys()].map((id) => this.#find(id)),
        nextPageToken: '',
      }),
      tagImage: async ({ source, target }: TagImageRequest) => {
        this.names.set(target, this.#find(source).id);
        await this.#announce([]);
        return { image: this.#find(source) };
      },
      rebuildImage: async (request: RebuildImageRequest) => ({ image: this.#rebuild(request) }),
      transplantSnapshot: async (request: TransplantSnapshotRequest) => {
        this.onTransplant(request);
        return { changedCount: 1 };
      },
      compareSnapshots: (request: CompareSnapshotsRequest) => this.#compare(request),
      setDrivers: async (request: SetDriversRequest) => {
        this.drivers = request;
        return {};
      },
      releaseDriver: async ({ name, force }: ReleaseDriverRequest) => {
        if (this.releaseFailure !== undefined) throw this.releaseFailure;
        this.released.push(force ? `${name} by force` : name);
        return { layerCount: 2 };
      },
      watchImages: (requests: AsyncIterable<WatchImagesRequest>, { signal }: CallContext) =>
        this.#watch(requests, signal),
    });
  }

  async *#compare(request: CompareSnapshotsRequest): AsyncGenerator<CompareSnapshotsResponse> {
    const { from, to } = request;
    yield { changes: this.differences.get(`${from} ${to}`) ?? this.onCompare(request) };
  }
}

function topOf(image: Image | undefined): string {
  return image?.layers.at(-1)?.chainId ?? '';
}
