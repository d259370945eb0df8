import type { Logger } from '@teu/log';
import { createBackOff } from './back-off.js';
import { dialNats, type NatsAddress, type NatsLink } from './nats-link.js';

/** What `connectEvents` needs. */
export interface ConnectEventsOptions extends NatsAddress {
  log: Logger;
  /** True in the one service that makes the stream (the engine); the others wait for it. */
  ownsStream?: boolean;
}

/** The way to NATS, connected when somebody needs it and again after each loss. */
export interface Events {
  /** Tells whether there is a connection now. */
  readonly connected: boolean;
  /** Gives the connection, trying until there is one. Throws only when `signal` or `close` ends it. */
  link(signal: AbortSignal): Promise<NatsLink>;
  /** Breaks the connection because it does not answer; the next `link` makes a new one. */
  drop(link: NatsLink): Promise<void>;
  close(): Promise<void>;
}

/** Makes the way to NATS. Does not connect and does not load the client yet. */
export function connectEvents(options: ConnectEventsOptions): Events {
  const closing = new AbortController();
  let current: NatsLink | undefined;
  let dialling: Promise<NatsLink> | undefined;

  const dial = async (): Promise<NatsLink> => {
    const link = await dialUntilDone(options, closing.signal);
    current = link;
    void link.closed.then(() => {
      if (current === link) current = undefined;
      if (!closing.signal.aborted) options.log.info({ url: options.url }, 'NATS connection lost');
    });
    return link;
  };

  const drop = async (link: NatsLink): Promise<void> => {
    if (current === link) current = undefined;
    await link.close();
  };

  return {
    get connected() {
      return current !== undefined;
    },
    link: async (signal) => {
      if (current) return current;
      dialling ??= dial().finally(() => (dialling = undefined));
      return raceWithSignal(dialling, signal);
    },
    drop,
    close: async () => {
      closing.abort();
      // A dial that is under way closes what it has made once it sees the signal.
      await dialling?.catch(() => undefined);
      if (current) await drop(current);
    },
  };
}

async function dialUntilDone(
  options: ConnectEventsOptions,
  signal: AbortSignal,
): Promise<NatsLink> {
  const backOff = createBackOff();
  let told = false;
  for (;;) {
    signal.throwIfAborted();
    try {
      const link = await dialNats(options);
      if (!signal.aborted && options.ownsStream) await prepare(link);
      if (!signal.aborted) {
        options.log.info({ url: options.url }, 'connected to NATS');
        return link;
      }
      await link.close();
    } catch (error) {
      // Said once per outage: with NATS away everything works, and the outbox keeps the events.
      if (!told) options.log.warn({ url: options.url, err: error }, 'NATS is not reachable');
      told = true;
      await backOff.wait(signal);
    }
  }
}

async function prepare(link: NatsLink): Promise<void> {
  try {
    await link.ensureStream();
  } catch (error) {
    await link.close();
    throw error;
  }
}

function raceWithSignal<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    if (signal.aborted) {
      abort();
      return;
    }
    signal.addEventListener('abort', abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
