import type { Consumer, JetStreamClient, JsMsg, NatsConnection, NatsError } from 'nats';
import { existsSync, readFileSync } from 'node:fs';
import { streamConfig } from './stream-config.js';
import { STREAM_NAME } from './subjects.js';

/** Where NATS is and who we are there. */
export interface NatsAddress {
  /** For example "nats://127.0.0.1:4222". */
  url: string;
  /** Name of this service; also picks its inbox, `_INBOX_<service>`. */
  service: string;
  /** File with the service's nkey seed; need not exist, for a server that asks for none. */
  nkeySeedFile?: string | undefined;
}

/** A message of the stream. */
export interface StreamMessage {
  /** Number in the stream. */
  sequence: number;
  subject: string;
  data: Uint8Array;
  /** Tells the server that a durable consumer is done with it. */
  acknowledge(): void;
}

/** A walk over messages, in order. It ends when it is stopped or the link is gone. */
export interface MessageWalk {
  messages: AsyncIterable<StreamMessage>;
  stop(): void;
}

/** Which messages, and who remembers how far we came. */
export interface StreamPosition {
  subject: string;
  /** Name under which the server remembers; the first time it begins with the oldest message. */
  durable?: string | undefined;
  /** Without `durable`: first number wanted. */
  fromSequence?: number | undefined;
}

/** The server can never take this message; trying again is of no use. */
export class PublishRejected extends Error {}

/** One connection to NATS. It never reconnects: when it breaks, it is closed, and one makes a new one. */
export interface NatsLink {
  /** Resolves when the connection is gone, for whatever reason. */
  readonly closed: Promise<void>;
  /** Makes the stream, or brings its limits up to date. */
  ensureStream(): Promise<void>;
  /** Resolves when JetStream has stored the message. @throws PublishRejected */
  publish(message: { subject: string; eventId: string; payload: Uint8Array }): Promise<void>;
  walk(position: StreamPosition): Promise<MessageWalk>;
  close(): Promise<void>;
}

const DIAL_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 5_000;
const PING_INTERVAL_MS = 60_000;
/** Headers and protocol around a payload; what is left of max_payload is for us. */
const OVERHEAD_BYTES = 1024;
/** How long one pull request waits at the server before it is renewed. */
const PULL_MS = 60_000;
/** JetStream's err_code for a message above the stream's max_msg_size. */
const MESSAGE_TOO_LARGE = 10_054;

/** Connects. The NATS client is loaded only here: it costs 7 MB that an idle service can do without. */
export async function dialNats(address: NatsAddress): Promise<NatsLink> {
  const nats = await import('nats');
  const seed = readSeed(address.nkeySeedFile);
  const connection = await nats.connect({
    servers: address.url,
    name: `teu-${address.service}`,
    inboxPrefix: `_INBOX_${address.service}`,
    reconnect: false,
    timeout: DIAL_TIMEOUT_MS,
    pingInterval: PING_INTERVAL_MS,
    maxPingOut: 2,
    noAsyncTraces: true,
    ...(seed && { authenticator: nats.nkeyAuthenticator(seed) }),
  });
  const jetstream = connection.jetstream({ timeout: REQUEST_TIMEOUT_MS });
  return {
    closed: connection.closed().then(() => undefined),
    ensureStream: () => ensureStream(connection),
    publish: (message) => publish(connection, jetstream, message),
    walk: (position) => walk(connection, jetstream, position),
    close: () => connection.close(),
  };
}

function readSeed(path: string | undefined): Uint8Array | undefined {
  if (path === undefined || !existsSync(path)) return undefined;
  return new TextEncoder().encode(readFileSync(path, 'utf8').trim());
}

async function ensureStream(connection: NatsConnection): Promise<void> {
  const admin = await connection.jetstreamManager({
    checkAPI: false,
    timeout: REQUEST_TIMEOUT_MS,
  });
  const config = streamConfig(await import('nats'));
  try {
    await admin.streams.info(STREAM_NAME);
  } catch (error) {
    if (!isNotFound(error)) throw error;
    await admin.streams.add(config);
    return;
  }
  await admin.streams.update(STREAM_NAME, config);
}

async function publish(
  connection: NatsConnection,
  jetstream: JetStreamClient,
  { subject, eventId, payload }: { subject: string; eventId: string; payload: Uint8Array },
): Promise<void> {
  const limit = (connection.info?.max_payload ?? Infinity) - OVERHEAD_BYTES;
  if (payload.length > limit) {
    throw new PublishRejected(`event of ${payload.length} bytes, the server takes ${limit}`);
  }
  try {
    await jetstream.publish(subject, payload, { msgID: eventId, timeout: REQUEST_TIMEOUT_MS });
  } catch (error) {
    if (asNatsError(error)?.api_error?.err_code === MESSAGE_TOO_LARGE) {
      throw new PublishRejected('event above the size limit of the stream', { cause: error });
    }
    throw error;
  }
}

async function walk(
  connection: NatsConnection,
  jetstream: JetStreamClient,
  position: StreamPosition,
): Promise<MessageWalk> {
  const consumer = await openConsumer(connection, jetstream, position);
  const stream = await consumer.consume({
    max_messages: 64,
    expires: PULL_MS,
    // A consumer or stream that somebody deleted ends the walk, and the caller starts over.
    abort_on_missing_resource: true,
  });
  // Not awaited: the client resolves this only while somebody still iterates.
  const stop = (): void => void stream.close();
  void connection.closed().then(stop);
  return { messages: streamMessages(stream, position.durable !== undefined), stop };
}

async function* streamMessages(
  stream: AsyncIterable<JsMsg>,
  durable: boolean,
): AsyncGenerator<StreamMessage, void, undefined> {
  for await (const message of stream) {
    yield {
      sequence: message.seq,
      subject: message.subject,
      data: message.data,
      // Consumers that are not durable have nothing to tell the server, and no right to.
      acknowledge: () => durable && message.ack(),
    };
  }
}

async function openConsumer(
  connection: NatsConnection,
  jetstream: JetStreamClient,
  { subject, durable, fromSequence = 1 }: StreamPosition,
): Promise<Consumer> {
  const nats = await import('nats');
  if (durable === undefined) {
    return jetstream.consumers.get(STREAM_NAME, {
      filterSubjects: subject,
      deliver_policy: nats.DeliverPolicy.StartSequence,
      opt_start_seq: Math.max(1, fromSequence),
    });
  }
  const admin = await connection.jetstreamManager({ checkAPI: false, timeout: REQUEST_TIMEOUT_MS });
  await admin.consumers.add(STREAM_NAME, {
    durable_name: durable,
    filter_subject: subject,
    deliver_policy: nats.DeliverPolicy.All,
    ack_policy: nats.AckPolicy.Explicit,
    // One at a time: otherwise what is redelivered comes after what is newer.
    max_ack_pending: 1,
    // After the death of a consumer the message that it held holds up the next one this long.
    ack_wait: 2 * 1_000_000_000,
  });
  return jetstream.consumers.get(STREAM_NAME, durable);
}

/** By name, because the client may be in the bundle more than once. */
function asNatsError(error: unknown): Pick<NatsError, 'api_error'> | undefined {
  return error instanceof Error && error.name === 'NatsError' && 'api_error' in error
    ? (error as Pick<NatsError, 'api_error'> & Error)
    : undefined;
}

function isNotFound(error: unknown): boolean {
  return asNatsError(error)?.api_error?.code === 404;
}
