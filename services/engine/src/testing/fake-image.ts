import { EventEmitter, on } from 'node:events';
import { teuError } from '@teu/errors';
import {
  Image,
  ImageConfig,
  ImageServiceService,
  type PrepareImageRequest,
  type PrepareImageResponse,
  type ReleaseDriverRequest,
  type SetDriversRequest,
  type WatchImagesRequest,
  type WatchImagesResponse,
} from '@teu/proto/image';
import { implement, type CallContext, type Implementation } from '@teu/rpc';
import { unimplemented } from './unimplemented.js';

/** An image service in memory. */
export class FakeImage {
  readonly #images = new Map<string, PrepareImageResponse>();
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

  /** Makes a name mean an image; resolves when all watchers know. */
  async put(reference: string, snapshot: string, config: Partial<ImageConfig> = {}): Promise<void> {
    const image = Image.create({
      id: `sha256:${snapshot}`,
      references: [reference],
      config: ImageConfig.create(config),
    });
    this.#images.set(reference, { image, driver: 'overlay2', snapshot });
    await this.#announce([]);
  }

  /** Removes a name as the image service does: the layer is asked back first. */
  async delete(reference: string): Promise<void> {
    await this.#announce([this.#images.get(reference)?.snapshot ?? '']);
    this.#images.delete(reference);
    await this.#announce([]);
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
        const found = this.#images.get(reference);
        if (found !== undefined) return { ...found, driver };
        throw teuError('IMAGE_NOT_FOUND', `no image is called "${reference}"`);
      },
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
}
