import type { Logger } from '@teu/log';
import type { Store } from '@teu/state';
import type { KeyedMutex } from '../domain/keyed-mutex.js';
import type { Pins } from '../domain/pins.js';
import type { Drivers } from '../layers/drivers.js';
import type { LayerDriver } from '../layers/layer-driver.js';
import type { SnapshotTable } from '../store/snapshot-table.js';

/** What the chores are done with. */
export interface ChoreParts {
  drivers: Drivers;
  layerMutex: KeyedMutex;
  log: Logger;
  pins: Pins;
  snapshots: SnapshotTable;
  store: Store;
}

/** What is to be done in one driver. */
interface DriverState {
  /** Snapshots of operations that are over: key to intent. */
  leftovers: Map<string, string>;
  /** The round that is under way. */
  round: Promise<void> | undefined;
  /** Whether something came up during the round. */
  again: boolean;
  /** Rounds that failed, one after the other. */
  failures: number;
  retry: NodeJS.Timeout | undefined;
}

const RETRY_FIRST_MS = 100;
const RETRY_MAX_MS = 30_000;

/**
 * Removes from drivers what nobody needs: layers without an image, from the top down, and what extractions that were
 * broken off have left. Answers do not wait for it. Each driver has rounds of its own, so that one that hangs keeps
 * no other waiting; what it did not do is done when it answers again.
 */
export class DriverChores {
  readonly #parts: ChoreParts;
  readonly #states = new Map<string, DriverState>();
  readonly #closing = new AbortController();

  constructor(parts: ChoreParts) {
    this.#parts = parts;
  }

  /** Adds a snapshot that an operation has left; its intent ends when it is gone. */
  addLeftover(driver: string, key: string, intentId: string): void {
    this.#stateOf(driver).leftovers.set(key, intentId);
    this.#start(driver);
  }

  /** Whether a snapshot is yet to be removed. */
  hasLeftover(driver: string, key: string): boolean {
    return this.#states.get(driver)?.leftovers.has(key) ?? false;
  }

  /** Looks for what is to be done, everywhere. */
  request(): void {
    const tips = this.#parts.snapshots.unusedTips().map(({ driver }) => driver);
    for (const driver of new Set([...tips, ...this.#states.keys()])) this.#start(driver);
  }

  /** Does now what extractions have left in a driver, because it shall leave. @throws what the driver says */
  async settle(driver: string): Promise<void> {
    const state = this.#stateOf(driver);
    await state.round;
    await this.#removeLeftovers(this.#parts.drivers.get(driver), state);
  }

  /** In the caller's transaction: leaves to a driver what is to be done in it. */
  forget(driver: string): void {
    const state = this.#stateOf(driver);
    for (const intentId of state.leftovers.values()) this.#parts.store.intents.finish(intentId);
    state.leftovers.clear();
  }

  /** Stops; the next start of the service goes on. */
  async close(): Promise<void> {
    this.#closing.abort();
    const states = [...this.#states.values()];
    for (const { retry } of states) clearTimeout(retry);
    await Promise.all(states.flatMap(({ round }) => round ?? []));
  }

  #stateOf(driver: string): DriverState {
    const known = this.#states.get(driver);
    if (known !== undefined) return known;
    const state: DriverState = {
      leftovers: new Map(),
      round: undefined,
      again: false,
      failures: 0,
      retry: undefined,
    };
    this.#states.set(driver, state);
    return state;
  }

  #start(name: string): void {
    if (this.#closing.signal.aborted) return;
    const state = this.#stateOf(name);
    clearTimeout(state.retry);
    const driver = this.#parts.drivers.find(name);
    // One that is not known waits until it is told again.
    if (driver === undefined) return;
    state.again = state.round !== undefined;
    state.round ??= this.#round(driver, state).finally(() => {
      state.round = undefined;
      if (state.again) this.#start(name);
    });
  }

  async #round(driver: LayerDriver, state: DriverState): Promise<void> {
    try {
      await this.#removeLeftovers(driver, state);
      const isDone = await this.#removeUnused(driver);
      if (isDone) state.failures = 0;
      else this.#retryLater(driver.name, state);
    } catch (error) {
      if (this.#closing.signal.aborted) return;
      const fields = { err: error, driver: driver.name };
      this.#parts.log.warn(fields, 'what nobody needs stays in a storage driver for now');
      state.again = false;
      this.#retryLater(driver.name, state);
    }
  }

  #retryLater(name: string, state: DriverState): void {
    const delayMs = Math.min(RETRY_FIRST_MS * 2 ** state.failures, RETRY_MAX_MS);
    state.failures += 1;
    state.retry = setTimeout(() => this.#start(name), delayMs);
  }

  async #removeLeftovers(driver: LayerDriver, { leftovers }: DriverState): Promise<void> {
    for (const [key, intentId] of [...leftovers]) {
      await driver.remove(key, this.#closing.signal);
      this.#parts.store.intents.finish(intentId);
      leftovers.delete(key);
    }
  }

  /** False if something stands on some of it. */
  async #removeUnused(driver: LayerDriver): Promise<boolean> {
    const { pins, snapshots } = this.#parts;
    const stuck = new Set<string>();
    for (;;) {
      const tip = snapshots
        .unusedTips()
        .find(
          ({ driver: name, chainId }) =>
            name === driver.name && !pins.has(chainId) && !stuck.has(chainId),
        );
      if (tip === undefined) return stuck.size === 0;
      if (!(await this.#removeTip(driver, tip.chainId))) stuck.add(tip.chainId);
    }
  }

  #removeTip(driver: LayerDriver, chainId: string): Promise<boolean> {
    const { layerMutex, pins, snapshots } = this.#parts;
    return layerMutex.run(`${driver.name} ${chainId}`, async () => {
      // Somebody may have begun to need it while this waited in line.
      if (pins.has(chainId)) return false;
      if ((await driver.remove(chainId, this.#closing.signal)) !== 'removed') return false;
      snapshots.forget(driver.name, chainId);
      return true;
    });
  }
}
