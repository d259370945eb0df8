import { teuError } from '@teu/errors';
import type { ContainerProcess } from '@teu/proto/executor';

/** Exits that a watcher may be behind before it is told to start anew. */
const BACKLOG_MAX = 4096;

interface Watcher {
  backlog: ContainerProcess[];
  overflowed: boolean;
  hasEnded: boolean;
  wake: () => void;
}

/** Tells every exit to any number of watchers. A slow one costs a bounded queue, never the others' time. */
export class ExitBoard {
  readonly #watchers = new Set<Watcher>();

  /** Number of watchers now. */
  get watcherCount(): number {
    return this.#watchers.size;
  }

  publish(process: ContainerProcess): void {
    for (const watcher of this.#watchers) {
      if (watcher.backlog.length >= BACKLOG_MAX) {
        watcher.overflowed = true;
        watcher.backlog = [];
      } else {
        watcher.backlog.push(process);
      }
      watcher.wake();
    }
  }

  /**
   * All exits from the call on, until the signal. Watching begins with the call, not with the first read.
   * @throws RESOURCE_EXHAUSTED if the reader fell too far behind: list, then watch again.
   */
  watch(signal: AbortSignal): AsyncIterable<ContainerProcess> {
    const watcher: Watcher = {
      backlog: [],
      overflowed: false,
      hasEnded: signal.aborted,
      wake: () => undefined,
    };
    this.#watchers.add(watcher);
    // A reader that goes away before its first read would never run a `finally`.
    signal.addEventListener('abort', () => this.#leave(watcher), { once: true });
    return readBacklog(watcher, () => this.#leave(watcher));
  }

  /** Ends all watches, as if their readers had gone. */
  close(): void {
    for (const watcher of this.#watchers) this.#leave(watcher);
  }

  #leave(watcher: Watcher): void {
    this.#watchers.delete(watcher);
    watcher.hasEnded = true;
    watcher.wake();
  }
}

async function* readBacklog(watcher: Watcher, leave: () => void) {
  try {
    while (!watcher.hasEnded) {
      if (watcher.overflowed) throw tooSlow();
      const next = watcher.backlog.shift();
      if (next !== undefined) {
        yield next;
        continue;
      }
      await new Promise<void>((resolve) => {
        watcher.wake = resolve;
      });
    }
  } finally {
    leave();
  }
}

function tooSlow() {
  return teuError(
    'RESOURCE_EXHAUSTED',
    `the watcher is more than ${BACKLOG_MAX} exits behind; watch again, then list`,
  );
}
