import { setTimeout as delay } from 'node:timers/promises';
import { teuError } from '@teu/errors';
import {
  BaseUpgrade,
  BaseUpgradeState,
  type UpgradeBaseRequest,
  type UpgradeStep,
} from '@teu/proto/engine';
import type { EngineParts } from '../engine-parts.js';
import { resumeEdit } from './edit-session.js';
import { findBases } from './standing.js';
import { StepQueue } from './step-queue.js';
import { beginUndo, runUndo } from './undo-run.js';
import { beginUpgrade, runUpgrade } from './upgrade-run.js';
import { UpgradeWork } from './upgrade-work.js';

const RESUME_LOOK_MS = 100;
/** Drivers come up beside the engine; those that are not there by then fail their containers. */
const DRIVERS_PATIENCE_MS = 20_000;

/** Runs upgrades and undos of bases, one at a time, to their end: whether their clients stay, and over restarts. */
export class BaseUpgrades {
  readonly #parts: EngineParts;
  #running: Promise<void> | undefined;
  /** What is under way, for those who have to wait for it. */
  #busyWith: string | undefined;
  #isClosing = false;

  constructor(parts: EngineParts) {
    this.#parts = parts;
  }

  /**
   * Begins an upgrade.
   * @returns its news, from the first on
   * @throws CONFLICT while another one is under way; IMAGE_NOT_FOUND, INVALID_ARGUMENT
   */
  async upgrade({ oldBase, newBase }: UpgradeBaseRequest): Promise<StepQueue<UpgradeStep>> {
    return this.#begin(async () => {
      const bases = await findBases(this.#parts.peers, { oldBase, newBase });
      const order = { bases, oldReference: oldBase, newReference: newBase };
      const nothing = BaseUpgrade.create({
        state: BaseUpgradeState.BASE_UPGRADE_STATE_COMPLETED,
        ...{ oldImageId: bases.old.id, newImageId: bases.new.id },
        ...{ oldReference: oldBase, newReference: newBase },
      });
      return (await beginUpgrade(this.#parts, order)) ?? nothing;
    });
  }

  /**
   * Begins to undo one.
   * @throws CONFLICT while another one is under way; INVALID_STATE, IMAGE_NOT_FOUND
   */
  async undo(upgrade: BaseUpgrade): Promise<StepQueue<UpgradeStep>> {
    return this.#begin(() => beginUndo(this.#parts, upgrade));
  }

  /**
   * Keeps upgrades and edits away until the returned function is called: what they change is the same.
   * @throws CONFLICT while something is under way
   */
  reserve(what: string): () => void {
    if (this.#busyWith !== undefined || this.#isClosing) throw this.#refusal();
    this.#busyWith = what;
    return () => {
      this.#busyWith = undefined;
    };
  }

  /** Goes on with what a restart has interrupted, as soon as the other services are there. */
  resume(): void {
    const upgrades = this.#parts.upgrades.underWay();
    const edits = this.#parts.store.intents.list().filter(({ operation }) => operation === 'edit');
    if (upgrades.length + edits.length === 0) return;
    const release = this.reserve('what a restart has interrupted');
    const goOn = async (): Promise<void> => {
      await this.#waitForServices();
      const parts = this.#parts;
      const steps = [
        ...edits.map(
          ({ objectKey, id }) =>
            () =>
              resumeEdit(parts, objectKey, id),
        ),
        ...upgrades.map((upgrade) => () => this.#run(upgrade, () => undefined)),
      ];
      for (const step of steps) if (!this.#isClosing) await step().catch(this.#noteFailure);
    };
    this.#track(goOn(), release);
  }

  /** Waits for the container that is being moved; the next start of the engine goes on. */
  async close(): Promise<void> {
    this.#isClosing = true;
    await this.#running;
  }

  async #begin(record: () => Promise<BaseUpgrade>): Promise<StepQueue<UpgradeStep>> {
    const release = this.reserve('an upgrade of a base');
    const steps = new StepQueue<UpgradeStep>();
    let upgrade: BaseUpgrade;
    try {
      upgrade = await record();
    } catch (error) {
      release();
      throw error;
    }
    if (upgrade.id === '') {
      release();
      steps.push({ part: { $case: 'summary', value: upgrade } });
      steps.end();
      return steps;
    }
    steps.push({ part: { $case: 'begun', value: upgrade } });
    const done = this.#run(upgrade, (step) => steps.push(step)).then(
      () => steps.end(),
      (error: unknown) => {
        steps.fail(error instanceof Error ? error : new Error(String(error)));
        throw error;
      },
    );
    this.#busyWith = `base upgrade ${upgrade.id}`;
    this.#track(done, release);
    return steps;
  }

  #track(done: Promise<void>, release: () => void): void {
    this.#running = done.catch(this.#noteFailure).finally(release);
  }

  /** What failed stays on record as being under way, and the next start of the engine tries again. */
  readonly #noteFailure = (error: unknown): void => {
    this.#parts.log.error({ err: error }, 'a change of a base did not end');
  };

  async #run(upgrade: BaseUpgrade, report: (step: UpgradeStep) => void): Promise<void> {
    const work = new UpgradeWork(this.#parts, report, () => this.#isClosing);
    const isUndo = upgrade.state === BaseUpgradeState.BASE_UPGRADE_STATE_UNDOING;
    await (isUndo ? runUndo(work, upgrade) : runUpgrade(work, upgrade));
  }

  async #waitForServices(): Promise<void> {
    const { images, drivers } = this.#parts;
    while (!images.isTold && !this.#isClosing) await delay(RESUME_LOOK_MS);
    const end = performance.now() + DRIVERS_PATIENCE_MS;
    for (const client of drivers.clients()) {
      const answers = (): Promise<boolean> =>
        client.describe().then(
          () => true,
          () => false,
        );
      while (!this.#isClosing && performance.now() < end && !(await answers())) {
        await delay(RESUME_LOOK_MS);
      }
    }
  }

  #refusal(): Error {
    const busyWith = this.#busyWith ?? 'the end of the engine';
    return teuError('CONFLICT', `bases are changed one at a time; under way is ${busyWith}`);
  }
}
