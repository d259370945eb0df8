import { ImageServiceService } from '@teu/proto/image';
import type { Peers } from '../../peers/peers.js';
import type { DriverRegistry } from './driver-registry.js';

/** Tells the image service which drivers there are. */
export class DriverNews {
  readonly #drivers: DriverRegistry;
  readonly #peers: Peers;
  #last: Promise<unknown> = Promise.resolve();

  constructor(drivers: DriverRegistry, peers: Peers) {
    this.#drivers = drivers;
    this.#peers = peers;
  }

  /** Tells what is so when it is this call's turn: an older list never arrives after a newer one. */
  tell(): Promise<void> {
    const mine = this.#last.then(
      () => this.#send(),
      () => this.#send(),
    );
    this.#last = mine;
    return mine;
  }

  async #send(): Promise<void> {
    await this.#peers.image.call(ImageServiceService.setDrivers, {
      drivers: this.#drivers.all().map(({ address }) => address),
      defaultDriver: this.#drivers.defaultName,
    });
  }
}
