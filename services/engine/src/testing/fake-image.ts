import { teuError } from '@teu/errors';
import {
  Image,
  ImageConfig,
  ImageServiceService,
  type PrepareImageRequest,
  type PrepareImageResponse,
} from '@teu/proto/image';
import { implement, type Implementation } from '@teu/rpc';
import { unimplemented } from './unimplemented.js';

/** An image service in memory. */
export class FakeImage {
  readonly #images = new Map<string, PrepareImageResponse>();
  /** Number of PrepareImage calls. */
  calls = 0;

  /** Makes a name mean an image. */
  put(reference: string, snapshot: string, config: Partial<ImageConfig> = {}): void {
    const image = Image.create({
      id: `sha256:${snapshot}`,
      references: [reference],
      config: ImageConfig.create(config),
    });
    this.#images.set(reference, { image, driver: 'overlay2', snapshot });
  }

  delete(reference: string): void {
    this.#images.delete(reference);
  }

  get service(): Implementation {
    return implement(ImageServiceService, {
      ...unimplemented(ImageServiceService),
      prepareImage: async ({ reference }: PrepareImageRequest) => {
        this.calls += 1;
        const found = this.#images.get(reference);
        if (found !== undefined) return found;
        throw teuError('IMAGE_NOT_FOUND', `no image is called "${reference}"`);
      },
    });
  }
}
