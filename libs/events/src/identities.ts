import { ALL_EVENTS, kindSubject, STREAM_NAME, type EventKind } from './subjects.js';

/** Who somebody is to NATS, and what follows from it. */
export interface NatsIdentity {
  /** Name of the service; also names its seed file and its inbox. */
  name: string;
  /** Kinds of events that it may publish. */
  publishes: readonly EventKind[];
  /** May have consumers on the stream, also durable ones. Not for strangers: it may take others'. */
  consumes?: boolean;
  /** May hear events as they are published, and fetch old ones by their number. */
  listens?: boolean;
  /** May make the stream and set its limits. */
  ownsStream?: boolean;
}

/** The identities of an installation. Everybody else gets nothing. */
export const SERVICE_IDENTITIES: readonly NatsIdentity[] = [
  { name: 'engine', publishes: ['container', 'driver', 'base'], consumes: true, ownsStream: true },
  { name: 'image', publishes: ['image'] },
  { name: 'cgroup', publishes: ['cgroup'] },
  { name: 'storage', publishes: ['snapshot'] },
  // For programs of the operator: reads everything, changes nothing.
  { name: 'reader', publishes: [], listens: true },
];

/** Subjects that an identity may publish to and subscribe to. Lists of what is allowed only. */
export interface NatsPermissions {
  publish: string[];
  subscribe: string[];
}

/**
 * Derives the permissions. The JetStream API is a set of subjects (docs.nats.io, "NATS API
 * Reference"); an identity gets those that its own calls need. Replies come to an inbox of its own,
 * because whoever may subscribe to the common "_INBOX.>" reads everybody's replies.
 */
export function permissionsOf(identity: NatsIdentity): NatsPermissions {
  const publish: string[] = identity.publishes.map((kind) => kindSubject(kind));
  const subscribe = [`_INBOX_${identity.name}.>`];
  if (identity.ownsStream) {
    publish.push(
      `$JS.API.STREAM.CREATE.${STREAM_NAME}`,
      `$JS.API.STREAM.UPDATE.${STREAM_NAME}`,
      `$JS.API.STREAM.INFO.${STREAM_NAME}`,
    );
  }
  if (identity.consumes) {
    publish.push(
      `$JS.API.CONSUMER.CREATE.${STREAM_NAME}.>`,
      `$JS.API.CONSUMER.DURABLE.CREATE.${STREAM_NAME}.*`,
      `$JS.API.CONSUMER.INFO.${STREAM_NAME}.*`,
      `$JS.API.CONSUMER.DELETE.${STREAM_NAME}.*`,
      `$JS.API.CONSUMER.MSG.NEXT.${STREAM_NAME}.*`,
      `$JS.ACK.${STREAM_NAME}.>`,
    );
  }
  if (identity.listens) {
    publish.push(`$JS.API.STREAM.INFO.${STREAM_NAME}`, `$JS.API.STREAM.MSG.GET.${STREAM_NAME}`);
    subscribe.push(ALL_EVENTS);
  }
  return { publish, subscribe };
}
