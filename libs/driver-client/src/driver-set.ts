import { teuError } from '@teu/errors';
import type { DriverAddress } from '@teu/proto/storage';
import { isSameDriver } from './driver-address.js';
import { DriverClient } from './driver-client.js';

/** The drivers that a service knows at the moment, by name. */
export class DriverSet {
  readonly #clients = new Map<string, DriverClient>();
  readonly #onStall: (name: string) => void;

  /** @param onStall told when a driver has begun to give no answers */
  constructor(onStall: (name: string) => void = () => undefined) {
    this.#onStall = onStall;
  }

  /** Makes these the drivers. A driver that is the same as before keeps its connection. */
  replace(addresses: readonly DriverAddress[]): void {
    const before = new Map(this.#clients);
    this.#clients.clear();
    for (const address of addresses) {
      const known = before.get(address.name);
      if (known !== undefined && isSameDriver(known.address, address)) {
        this.#clients.set(address.name, known);
        before.delete(address.name);
      } else {
        const onStall = (): void => this.#onStall(address.name);
        this.#clients.set(address.name, new DriverClient(address, { onStall }));
      }
    }
    for (const client of before.values()) client.close();
  }

  /** @throws DRIVER_NOT_FOUND saying which there are. */
  get(name: string): DriverClient {
    const client = this.#clients.get(name);
    if (client !== undefined) return client;
    const known = [...this.#clients.keys()].join(', ');
    const there = known === '' ? 'there are none' : `there are: ${known}`;
    throw teuError('DRIVER_NOT_FOUND', `there is no storage driver "${name}"; ${there}`, {
      metadata: { driver: name },
    });
  }

  find(name: string): DriverClient | undefined {
    return this.#clients.get(name);
  }

  all(): DriverClient[] {
    return [...this.#clients.values()];
  }

  /** Ends all connections; calls that run go on to their end. */
  close(): void {
    for (const client of this.#clients.values()) client.close();
  }
}
