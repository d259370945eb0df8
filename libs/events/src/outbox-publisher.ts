import type { Logger } from '@teu/log';
import { setTimeout as delay } from 'node:timers/promises';
import { createBackOff, type BackOff } from './back-off.js';
import type { Events } from './connect-events.js';
import { PublishRejected, type NatsLink } from './nats-link.js';

/** A fact that waits. */
export interface PendingEvent {
  sequence: number;
  eventId: string;
  subject: string;
  payload: Uint8Array;
}

/** The outbox as the publisher sees it; `store.outbox` of @teu/state is one. */
export interface PublishableOutbox {
  pending(limit: number): PendingEvent[];
  settle(sequence: number, outcome: 'published' | 'rejected'): void;
  reviveAfterReboot(): number;
  onAppend(listener: () => void): () => void;
}

/** What the publisher needs. */
export interface OutboxPublisherOptions {
  store: { outbox: PublishableOutbox };
  events: Events;
  log: Logger;
}

/** The running publisher. */
export interface OutboxPublisher {
  /** Looks at the outbox now. Commits that append do this by themselves. */
  notify(): void;
  /** Ends after the message under way, at most a few seconds; what is left is published next time. */
  close(): Promise<void>;
}

const BATCH = 64;
/**
 * Time from a commit to its publication: the process that commits has a request to answer, and
 * publishing takes 0.3 ms of the same thread per event.
 */
const LINGER_MS = 20;

/**
 * Publishes the facts of an outbox in their order, each once JetStream has stored the one before:
 * that is what keeps the order when the server fails in between. Nothing waits for it, nothing
 * fails because of it; it sleeps while the outbox is empty and does not even connect then.
 */
export function startOutboxPublisher(options: OutboxPublisherOptions): OutboxPublisher {
  const closing = new AbortController();
  const bell = createBell();
  const { outbox } = options.store;
  const unsubscribe = outbox.onAppend(bell.ring);
  outbox.reviveAfterReboot();
  const running = publishForever(options, bell, closing.signal);
  return {
    notify: bell.ring,
    close: async () => {
      unsubscribe();
      closing.abort();
      bell.ring();
      await running;
    },
  };
}

async function publishForever(
  { store, events, log }: OutboxPublisherOptions,
  bell: Bell,
  signal: AbortSignal,
): Promise<void> {
  const backOff = createBackOff();
  let told = false;
  const ended = (): boolean => signal.aborted;
  while (!ended()) {
    let link: NatsLink | undefined;
    try {
      const batch = store.outbox.pending(BATCH);
      if (batch.length === 0) {
        await bell.rung();
        await linger(signal);
        continue;
      }
      link = await events.link(signal);
      for (const event of batch) await publishOne(event, link, { store, log }, backOff, signal);
      told = false;
    } catch (error) {
      if (ended()) return;
      if (!told) log.warn({ err: error }, 'events wait in the outbox: NATS does not take them');
      told = true;
      if (link) await events.drop(link);
      await backOff.wait(signal);
    }
  }
}

async function publishOne(
  event: PendingEvent,
  link: NatsLink,
  { store, log }: Pick<OutboxPublisherOptions, 'store' | 'log'>,
  backOff: BackOff,
  signal: AbortSignal,
): Promise<void> {
  signal.throwIfAborted();
  try {
    await link.publish(event);
    store.outbox.settle(event.sequence, 'published');
  } catch (error) {
    if (!(error instanceof PublishRejected)) throw error;
    // Left in the queue it would hold up all that come after it, for ever.
    log.warn({ err: error, event_id: event.eventId }, 'event cannot be published and is skipped');
    store.outbox.settle(event.sequence, 'rejected');
  }
  backOff.reset();
}

/** Waits; ends early, without error, when the signal fires. */
async function linger(signal: AbortSignal): Promise<void> {
  await delay(LINGER_MS, undefined, { signal, ref: false }).catch(() => undefined);
}

/** Remembers that it was rung until somebody has listened. */
interface Bell {
  ring: () => void;
  rung: () => Promise<void>;
}

function createBell(): Bell {
  let pending = false;
  let listener: (() => void) | undefined;
  return {
    ring: () => {
      pending = true;
      listener?.();
    },
    rung: () =>
      new Promise((resolve) => {
        const wake = (): void => {
          pending = false;
          listener = undefined;
          resolve();
        };
        if (pending) wake();
        else listener = wake;
      }),
  };
}
