import type { Logger } from '@teu/log';
import { Run, RunEnd, UsageServiceService } from '@teu/proto/cgroup';
import type { Container } from '@teu/proto/engine';
import type { Peers } from '../peers/peers.js';
import type { ContainerEntry } from './container-entry.js';

/** Programs that end sooner are told of by their end alone. Also keeps the calls away from the answer of the start. */
const TELL_DELAY_MS = 20;
const FIRST_RETRY_MS = 100;
const LONGEST_RETRY_MS = 10_000;

/**
 * Tells the usage ledger of runs that have begun. It needs to know soon, to measure memory while there is some; that a
 * run is on record at all rests on its end, which goes with the deletion of the cgroup (teardown-queue.ts).
 */
export class RunUsage {
  readonly #peers: Peers;
  readonly #log: Logger;
  readonly #timers = new Set<NodeJS.Timeout>();
  #closed = false;

  constructor({ peers, log }: { peers: Peers; log: Logger }) {
    this.#peers = peers;
    this.#log = log;
  }

  /** Tells of the run of a container soon, and again until it is heard or the run has ended. */
  tell(entry: ContainerEntry): void {
    this.#later(entry, startOf(entry), TELL_DELAY_MS, 0);
  }

  /** Stops; the next start of the engine tells of all that run. */
  close(): void {
    this.#closed = true;
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
  }

  #later(entry: ContainerEntry, start: number, delayMs: number, attempts: number): void {
    if (this.#closed) return;
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      void this.#send(entry, start, attempts);
    }, delayMs);
    this.#timers.add(timer);
  }

  async #send(entry: ContainerEntry, start: number, attempts: number): Promise<void> {
    const { container } = entry;
    if (!entry.running || startOf(entry) !== start) return;
    try {
      const request = { run: runOf(container) };
      await this.#peers.cgroup.call(UsageServiceService.recordRun, request);
    } catch (error) {
      const fields = { container_id: entry.id, err: error };
      if (attempts === 0) this.#log.warn(fields, 'the usage ledger was not told of a run yet');
      const delayMs = Math.min(FIRST_RETRY_MS * 2 ** attempts, LONGEST_RETRY_MS);
      this.#later(entry, start, delayMs, attempts + 1);
    }
  }
}

/** Tells the runs of one container apart. */
function startOf({ container }: ContainerEntry): number {
  return container.startTime?.getTime() ?? 0;
}

/** The run of a container, with its end if it has ended. */
function runOf(container: Container): Run {
  const { id, name, imageId, spec, startTime, createTime, startTrace, exit } = container;
  return Run.create({
    containerId: id,
    startTime,
    name,
    image: spec?.image ?? '',
    imageId,
    group: spec?.group ?? '',
    labels: spec?.labels ?? {},
    createTime,
    phases: startTrace?.phases ?? [],
    end: exit && RunEnd.create(exit),
  });
}

/** The run of a container as text, for the payload of an intent. */
export function storedRun(container: Container): string {
  return Buffer.from(Run.encode(runOf(container)).finish()).toString('base64');
}

/** What storedRun has made. */
export function restoredRun(text: string): Run {
  return Run.decode(Buffer.from(text, 'base64'));
}
