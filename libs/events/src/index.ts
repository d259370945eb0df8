export { connectEvents, type ConnectEventsOptions, type Events } from './connect-events.js';
export {
  consumeEvents,
  type ConsumeEventsOptions,
  type EventConsumer,
  type ReceivedEvent,
} from './consume-events.js';
export { permissionsOf, SERVICE_IDENTITIES, type NatsIdentity } from './identities.js';
export { makeEvent, type EventInput, type EventPayload, type OutgoingEvent } from './make-event.js';
export { writeNatsConfig, type NatsConfig, type NatsConfigOptions } from './nats-config.js';
export {
  startOutboxPublisher,
  type OutboxPublisher,
  type OutboxPublisherOptions,
} from './outbox-publisher.js';
export {
  ALL_EVENTS,
  EVENT_KINDS,
  eventSubject,
  kindSubject,
  STREAM_NAME,
  subjectToken,
  type EventKind,
} from './subjects.js';
