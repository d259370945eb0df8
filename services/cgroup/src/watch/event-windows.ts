import type { CgroupEvent } from '@teu/proto/event';

interface Window {
  timer: NodeJS.Timeout;
  /** What happened since it was last told, in one event. */
  waiting: CgroupEvent | undefined;
}

/**
 * Lets the first event of a kind through at once, and what follows within the window as one event at its end: with
 * the number of times, and the rest as it was last.
 */
export class EventWindows {
  readonly #emit: (event: CgroupEvent) => void;
  readonly #windowMs: number;
  readonly #keep: (kind: string, waiting: CgroupEvent) => void;
  readonly #windows = new Map<string, Window>();

  /**
   * @param windowMs - 0 to tell each by itself.
   * @param keep - Hears what waits of a kind, each time that it has become other.
   */
  constructor(
    emit: (event: CgroupEvent) => void,
    windowMs: number,
    keep: (kind: string, waiting: CgroupEvent) => void = () => undefined,
  ) {
    this.#emit = emit;
    this.#windowMs = windowMs;
    this.#keep = keep;
  }

  /** Takes an event. It is told at once, or at the end of the window. */
  offer(event: CgroupEvent): void {
    if (this.#windowMs === 0) {
      this.#emit(event);
      return;
    }
    const kind = kindOf(event);
    const window = this.#windows.get(kind);
    if (window !== undefined) {
      window.waiting = together(window.waiting, event);
      this.#keep(kind, window.waiting);
      return;
    }
    this.#open(kind);
    this.#emit(event);
  }

  /** Tells now what waits: of one container or group, because it goes, or of all. */
  flush(subject?: { containerId: string; group: string }): void {
    const prefix = subject === undefined ? '' : subjectOf(subject);
    for (const [kind, { timer, waiting }] of [...this.#windows]) {
      if (!kind.startsWith(prefix)) continue;
      clearTimeout(timer);
      this.#windows.delete(kind);
      if (waiting !== undefined) this.#emit(waiting);
    }
  }

  #open(kind: string): void {
    const timer = setTimeout(() => {
      const waiting = this.#windows.get(kind)?.waiting;
      this.#windows.delete(kind);
      if (waiting === undefined) return;
      this.#open(kind);
      this.#emit(waiting);
    }, this.#windowMs);
    timer.unref();
    this.#windows.set(kind, { timer, waiting: undefined });
  }
}

function subjectOf({ containerId, group }: { containerId: string; group: string }): string {
  return `${containerId === '' ? group : containerId} `;
}

/** Events of one kind are told together. */
export function kindOf(event: CgroupEvent): string {
  return `${subjectOf(event)}${event.action} ${event.limit} ${event.resource}`;
}

function together(before: CgroupEvent | undefined, now: CgroupEvent): CgroupEvent {
  if (before === undefined) return now;
  const { seconds = 0, nanos = 0 } = before.waitedDuration ?? {};
  const waited = now.waitedDuration && {
    seconds:
      now.waitedDuration.seconds + seconds + Math.floor((now.waitedDuration.nanos + nanos) / 1e9),
    nanos: (now.waitedDuration.nanos + nanos) % 1e9,
  };
  return { ...now, count: before.count + now.count, waitedDuration: waited };
}
