import { teuError } from '@teu/errors';
import type { ContainerProcess } from '@teu/proto/executor';

/** Exits that a watcher may be behind before it is told to start anew. */
const BACKLOG_MAX = 4096;

interface Watcher {
  backlog: ContainerProcess[];
  overflowed: boolean;
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
    const watcher: Watcher = { backlog: [], overflowed: false, wake: () => undefined };
    this.#watchers.add(watcher);
    const wake = () => watcher.wake();
    signal.addEventListener('abort', wake);
    const leave = () => {
      signal.removeEventListener('abort', wake);
      this.#watchers.delete(watcher);
    };
    return readBacklog(watcher, signal, leave);
  }
}

async function* readBacklog(watcher: Watcher, signal: AbortSignal, leave: () => void) {
  try {
    while (!signal.aborted) {
      if (watcher.overflowed) throw tooSlow();
      const next = watcher.backlog.shift();
      if (next !== undefined) {
        yield next;
        continue;
      }
      await new Promise<void>((resolve) => {
        watcher.wake = resolve;
        if (signal.aborted) resolve();
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
