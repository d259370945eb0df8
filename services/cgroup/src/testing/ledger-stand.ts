import type { Logger } from '@teu/log';
import { Run } from '@teu/proto/cgroup';
import { bootId, type Store } from '@teu/state';
import { tempDir } from '@teu/testing';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BootClock, type LedgerClock } from '../ledger/boot-clock.js';
import type { RunState } from '../ledger/open-run.js';
import { UsageLedger } from '../ledger/usage-ledger.js';
import { insertRun, writeBeat, writeState } from '../store/usage-table.js';
import { OpenFiles } from '../stats/open-files.js';
import type { CgroupTree } from '../tree/cgroup-tree.js';
import { emptyStore, some } from './usage-store.js';

const HOUR_MS = 3_600_000;

/** A run that an earlier process has left in the store. */
export interface Left {
  readonly id: string;
  readonly hoursAgo: number;
  /** Memory at its last sample; that was right after its start. */
  readonly bytes: number;
  readonly populated?: boolean;
  readonly bootId?: string;
}

/** A ledger over groups of version 2 that are plain files, and what it has written. */
export class LedgerStand {
  readonly store: Store;
  readonly files = new OpenFiles(1);
  /** Messages of the log. */
  readonly errors: string[] = [];
  readonly clock: LedgerClock;
  readonly #place = tempDir();
  readonly #removeStore: () => void;
  #ledger: UsageLedger | undefined;

  constructor(clock: LedgerClock = new BootClock()) {
    this.clock = clock;
    ({ store: this.store, remove: this.#removeStore } = emptyStore());
  }

  /** The ledger; made when it is first asked for, over what the store has then. */
  get ledger(): UsageLedger {
    const log = { error: (_: object, text: string) => this.errors.push(text) };
    this.#ledger ??= new UsageLedger({
      store: this.store,
      ...{ tree: this.#tree(), files: this.files, clock: this.clock },
      log: log as unknown as Logger,
      oomKills: () => [],
    });
    return this.#ledger;
  }

  /** Writes files of a group, which is made for them. */
  put(id: string, files: Readonly<Record<string, number | string>>): void {
    mkdirSync(join(this.#place.path, id), { recursive: true });
    for (const [name, text] of Object.entries(files)) {
      writeFileSync(join(this.#place.path, id, name), `${text}\n`);
    }
  }

  /** Makes a file of a group one that cannot be read. */
  break(id: string, name: string): void {
    mkdirSync(join(this.#place.path, id, name));
  }

  /** Removes a group. */
  remove(id: string): void {
    rmSync(join(this.#place.path, id), { recursive: true });
  }

  /** Writes what an earlier process has left of a run; its last checkpoint was a moment ago. */
  leave({ id, hoursAgo, bytes, populated = true, bootId: boot = bootId() }: Left): void {
    const now = this.clock.wallMs();
    const startTime = new Date(now - hoursAgo * HOUR_MS);
    const atMs = this.clock.bootMs();
    const startMs = atMs - hoursAgo * HOUR_MS;
    this.store.transaction(() => {
      const runId = insertRun(this.store, Run.fromPartial({ containerId: id, startTime }), startMs);
      const sample = { atMs: startMs, bytes, byteSeconds: 0 };
      const state: RunState = { figures: some({}), figuresTime: startTime, sample, populated };
      writeState(this.store, runId, state);
      writeBeat(this.store, { time: new Date(now), atMs, bootId: boot });
      this.store.prepare('UPDATE usage_runs SET boot_id = ? WHERE run_id = ?').run(boot, runId);
    });
  }

  /** A column of the only run of a container. */
  column(id: string, name: string): number | null {
    const row = this.store
      .prepare<{ value: number | null }>(
        `SELECT ${name} AS value FROM usage_runs WHERE container_id = ?`,
      )
      .get(id);
    if (row === undefined) throw new Error(`no run of ${id}`);
    return row.value;
  }

  /** The process ends as in a crash; the next ledger is made over what it has written. */
  crash(): void {
    this.#ledger?.close();
    this.#ledger = undefined;
  }

  /** What is in the store is of an earlier boot from here on. */
  reboot(): void {
    this.crash();
    this.store.db.exec(`UPDATE usage_runs SET boot_id = 'earlier' WHERE sequence IS NULL;
      UPDATE usage_state SET beat_boot_id = 'earlier'`);
  }

  close(): void {
    this.#ledger?.close();
    this.#removeStore();
    this.#place.remove();
  }

  #tree(): CgroupTree {
    const pathOf = (id: string) => join(this.#place.path, id);
    const tree = {
      host: { hierarchies: [{ version: 2 }] },
      groupIn: (_: unknown, id: string) => pathOf(id),
      groupOf: (_: string, id: string) => ({ path: pathOf(id), version: 2 }),
    };
    return tree as unknown as CgroupTree;
  }
}
