import { DriverSet, isSameDriver, type DriverClient } from '@teu/driver-client';
import { teuError } from '@teu/errors';
import { clock } from '@teu/ids';
import type { Logger } from '@teu/log';
import { DriverOrigin } from '@teu/proto/engine';
import type { DriverAddress } from '@teu/proto/storage';
import type { Store } from '@teu/state';
import type { DriverTable } from '../../store/driver-table.js';

/** A driver as the engine knows it, apart from how it is. */
export interface KnownDriver {
  address: DriverAddress;
  origin: DriverOrigin;
  /** When it was added; undefined for one of the configuration. */
  addTime: Date | undefined;
}

/** What the registry stands on. */
export interface DriverRegistryParts {
  /** The first is the default one, unless another was chosen. */
  configured: readonly DriverAddress[];
  store: Store;
  table: DriverTable;
  log: Logger;
}

/** Something that becomes true together with a change of the registry, in its transaction. */
export type InTransaction = () => void;

/** The storage drivers: those of the configuration and those that were added, and which is the default one. */
export class DriverRegistry {
  readonly #parts: DriverRegistryParts;
  readonly #known = new Map<string, KnownDriver>();
  readonly #clients: DriverSet;
  /** Drivers that are being removed: nothing new begins on them. */
  readonly #leaving = new Set<string>();
  #default: string;
  /** Told when a driver has begun to give no answers. */
  onStall: (name: string) => void = () => undefined;

  constructor(parts: DriverRegistryParts) {
    const { configured, table, log } = parts;
    this.#parts = parts;
    this.#clients = new DriverSet((name) => this.onStall(name));
    for (const { address, addTime } of table.list()) {
      this.#known.set(address.name, { address, origin: DriverOrigin.DRIVER_ORIGIN_ADDED, addTime });
    }
    for (const address of configured) {
      if (this.#known.has(address.name)) {
        log.warn({ driver: address.name }, 'the configuration has a driver that was added as well');
      }
      const origin = DriverOrigin.DRIVER_ORIGIN_CONFIGURED;
      this.#known.set(address.name, { address, origin, addTime: undefined });
    }
    this.#default = this.#initialDefault();
    this.#connect();
  }

  /** The driver of what names none; empty if there are no drivers. */
  get defaultName(): string {
    return this.#default;
  }

  /** @throws DRIVER_NOT_FOUND saying which there are. */
  get(name: string): DriverClient {
    return this.#clients.get(name);
  }

  /** The driver for something new. @throws DRIVER_NOT_FOUND, also if it is being removed */
  forNew(name: string): DriverClient {
    if (this.#leaving.size > 0 && this.#leaving.has(name)) throw isLeaving(name);
    return this.#clients.get(name);
  }

  find(name: string): KnownDriver | undefined {
    return this.#known.get(name);
  }

  /** The default one first, the others by name. */
  all(): KnownDriver[] {
    const rank = ({ address }: KnownDriver): string =>
      address.name === this.#default ? '' : address.name;
    return [...this.#known.values()].sort((a, b) => (rank(a) < rank(b) ? -1 : 1));
  }

  clients(): DriverClient[] {
    return this.#clients.all();
  }

  /**
   * Whether this very driver is known already.
   * @throws DRIVER_EXISTS if its name or its address belongs to another one
   */
  has(address: DriverAddress): boolean {
    const holder = this.#known.get(address.name);
    if (holder !== undefined && isSameDriver(holder.address, address)) return true;
    if (holder !== undefined) {
      const at = holder.address.address;
      throw exists(address.name, `there is a storage driver "${address.name}" already, at ${at}`);
    }
    for (const known of this.#known.values()) {
      if (!isSameDriver(known.address, address)) continue;
      const { name } = known.address;
      throw exists(name, `this is the storage driver "${name}", which is known already`);
    }
    return false;
  }

  /** Adds one, durably. @throws DRIVER_EXISTS */
  add(address: DriverAddress, also: InTransaction): void {
    if (this.has(address)) return;
    const { store, table } = this.#parts;
    const addTime = clock.now();
    store.transaction(() => {
      table.insert({ address, addTime });
      also();
    });
    this.#known.set(address.name, { address, origin: DriverOrigin.DRIVER_ORIGIN_ADDED, addTime });
    if (this.#default === '') this.#default = address.name;
    this.#connect();
  }

  /** Forgets one that was added, durably. */
  remove(name: string, also: InTransaction): void {
    const { store, table } = this.#parts;
    store.transaction(() => {
      table.delete(name);
      also();
    });
    this.#known.delete(name);
    this.#connect();
  }

  /** Makes one the default, durably. @throws DRIVER_NOT_FOUND */
  chooseDefault(name: string, also: InTransaction): void {
    this.forNew(name);
    const { store, table } = this.#parts;
    store.transaction(() => {
      table.chooseDefault(name);
      also();
    });
    this.#default = name;
  }

  /**
   * Lets nothing new begin on a driver while its removal is under way.
   * @returns what ends that
   */
  beginLeaving(name: string): () => void {
    this.forNew(name);
    this.#leaving.add(name);
    return () => this.#leaving.delete(name);
  }

  close(): void {
    this.#clients.close();
  }

  #connect(): void {
    this.#clients.replace([...this.#known.values()].map(({ address }) => address));
  }

  #initialDefault(): string {
    const { configured, table, log } = this.#parts;
    const first = configured[0]?.name ?? [...this.#known.keys()][0] ?? '';
    const chosen = table.chosenDefault();
    if (chosen === undefined || this.#known.has(chosen)) return chosen ?? first;
    log.warn({ chosen, driver: first }, 'the chosen default driver is not known any more');
    return first;
  }
}

function exists(name: string, text: string): Error {
  return teuError('DRIVER_EXISTS', text, { metadata: { driver: name } });
}

function isLeaving(name: string): Error {
  return teuError('DRIVER_NOT_FOUND', `the storage driver "${name}" is being removed`, {
    metadata: { driver: name },
  });
}
