import type { Logger } from '@teu/log';
import { Event } from '@teu/proto/event';
import { createBackOff } from './back-off.js';
import type { Events } from './connect-events.js';
import type { NatsLink, StreamMessage, StreamPosition } from './nats-link.js';
import { ALL_EVENTS } from './subjects.js';

/** An event out of the stream. */
export interface ReceivedEvent {
  /** Number in the stream, for `fromSequence`. Not the numbers of an engine's journal. */
  streamSequence: number;
  event: Event;
  /** The event's own bytes, to be kept as they came. */
  payload: Uint8Array;
}

/** What `consumeEvents` needs. */
export interface ConsumeEventsOptions {
  events: Events;
  log: Logger;
  /** Which events; all, if not given. */
  subject?: string;
  /**
   * Name under which the server remembers what was handled, across restarts of this process. The
   * first time it begins with the oldest event.
   */
  durable?: string;
  /** Without `durable`: number in the stream to begin with; 1 if not given. */
  fromSequence?: number;
  /**
   * Takes one event; the next one comes when it is done. If it throws, the event comes again. It
   * must bear duplicates: delivery is at least once, `event.id` tells them apart.
   */
  handle: (received: ReceivedEvent) => void | Promise<void>;
}

/** A consumer that runs. */
export interface EventConsumer {
  close(): Promise<void>;
}

/** Hands over events in order, for ever: through outages, restarts and errors of the handler. */
export function consumeEvents(options: ConsumeEventsOptions): EventConsumer {
  const closing = new AbortController();
  const running = consumeForever(options, closing.signal);
  return {
    close: async () => {
      closing.abort();
      await running;
    },
  };
}

async function consumeForever(options: ConsumeEventsOptions, signal: AbortSignal): Promise<void> {
  const { events, log, subject = ALL_EVENTS } = options;
  const backOff = createBackOff();
  let fromSequence = options.fromSequence ?? 1;
  let told = false;
  const taken = (sequence: number): void => {
    fromSequence = sequence + 1;
    told = false;
    backOff.reset();
  };
  const ended = (): boolean => signal.aborted;
  while (!ended()) {
    try {
      const link = await events.link(signal);
      await consumeOnce(
        options,
        link,
        { subject, durable: options.durable, fromSequence },
        taken,
        signal,
      );
    } catch (error) {
      if (ended()) return;
      if (!told) log.warn({ err: error, subject }, 'events are not coming in; trying again');
      told = true;
    }
    await backOff.wait(signal);
  }
}

/** Consumes until the link, the signal or the handler ends it. */
async function consumeOnce(
  options: ConsumeEventsOptions,
  link: NatsLink,
  position: StreamPosition,
  taken: (sequence: number) => void,
  signal: AbortSignal,
): Promise<void> {
  const walk = await link.walk(position);
  const stop = (): void => walk.stop();
  signal.addEventListener('abort', stop, { once: true });
  // The end may have been asked for while the walk was begun.
  if (signal.aborted) stop();
  try {
    for await (const message of walk.messages) {
      if (signal.aborted) return;
      await handleMessage(message, options, signal);
      taken(message.sequence);
    }
  } finally {
    signal.removeEventListener('abort', stop);
    walk.stop();
  }
}

/** Tries one event until it is handled; the ones behind it wait, so that the order holds. */
async function handleMessage(
  message: StreamMessage,
  { handle, log }: Pick<ConsumeEventsOptions, 'handle' | 'log'>,
  signal: AbortSignal,
): Promise<void> {
  const { sequence: streamSequence, data: payload } = message;
  const event = decode(payload);
  if (!event) log.warn({ stream_sequence: streamSequence }, 'not an event; skipped');
  const backOff = createBackOff();
  let failed = event !== undefined;
  while (event && failed) {
    signal.throwIfAborted();
    try {
      await handle({ streamSequence, event, payload });
      failed = false;
    } catch (error) {
      log.warn({ err: error, event_id: event.id }, 'event is not handled; trying again');
      await backOff.wait(signal);
    }
  }
  message.acknowledge();
}

/** Bytes that are no event are somebody's mistake and must not stop the ones that follow. */
function decode(data: Uint8Array): Event | undefined {
  try {
    return Event.decode(data);
  } catch {
    return undefined;
  }
}
