import type { OomKill } from '@teu/proto/type';
import type { Store } from '@teu/state';
import type { Journal } from './journal.js';
import { createKillTable, KILLS_MAX, type KillTable } from './kill-table.js';

/** What is known of a container that is gone is kept this long: its removal may be asked for again. */
const KEEP_MS = 60_000;

/** What the kernel has killed in containers, in memory and, as soon as it can be written, on disk. */
export class Kills {
  readonly #journal: Journal;
  readonly #table: KillTable;
  /** Newest first. */
  readonly #kills = new Map<string, OomKill[]>();
  readonly #timers = new Map<string, NodeJS.Timeout>();
  #position: number | undefined;

  constructor(store: Store, journal: Journal) {
    this.#journal = journal;
    this.#table = createKillTable(store);
    this.#position = this.#table.position();
    for (const { containerId, kill } of this.#table.list()) this.#remember(containerId, kill);
  }

  /** Of one container, newest first. */
  of(containerId: string): readonly OomKill[] {
    return this.#kills.get(containerId) ?? [];
  }

  /** Containers that any are known of. */
  containers(): string[] {
    return [...this.#kills.keys()];
  }

  /** Number of the record of the kernel's log that was read last. */
  get position(): number | undefined {
    return this.#position;
  }

  /** Says how far the log was read. Lost in a power cut, it is read again. */
  passed(sequence: number): void {
    const isFirst = this.#position === undefined;
    this.#position = Math.max(this.#position ?? 0, sequence);
    // From then on each kill is written with its own; what is read again in between has none.
    if (isFirst) this.#journal.write(() => this.#table.setPosition(sequence), { durable: false });
  }

  /** Keeps a kill; written with it, how far the log was read. */
  record(containerId: string, sequence: number, kill: OomKill): void {
    this.#position = Math.max(this.#position ?? 0, sequence);
    if (containerId !== '') this.#remember(containerId, kill);
    this.#journal.write(() => {
      if (containerId !== '') this.#table.insert(containerId, sequence, kill);
      this.#table.setPosition(sequence);
    });
  }

  /** Forgets a container that is gone, some time later. */
  forgetLater(containerId: string): void {
    if (!this.#kills.has(containerId) || this.#timers.has(containerId)) return;
    const timer = setTimeout(() => this.#forget(containerId), KEEP_MS);
    timer.unref();
    this.#timers.set(containerId, timer);
  }

  /** Forgets what was killed in an earlier run of a container. */
  begun(containerId: string): void {
    if (!this.#kills.has(containerId)) return;
    clearTimeout(this.#timers.get(containerId));
    this.#forget(containerId);
  }

  close(): void {
    for (const timer of this.#timers.values()) clearTimeout(timer);
  }

  #remember(containerId: string, kill: OomKill): void {
    const kills = [kill, ...this.of(containerId)];
    this.#kills.set(containerId, kills.slice(0, KILLS_MAX));
  }

  #forget(containerId: string): void {
    this.#timers.delete(containerId);
    this.#kills.delete(containerId);
    this.#journal.write(() => this.#table.delete(containerId), { durable: false });
  }
}
