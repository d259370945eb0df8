import { clock } from '@teu/ids';
import {
  baseActionToJSON,
  cgroupActionToJSON,
  containerActionToJSON,
  driverActionToJSON,
  Event,
  imageActionToJSON,
  snapshotActionToJSON,
} from '@teu/proto/event';
import { randomUUID } from 'node:crypto';
import { eventSubject } from './subjects.js';

/** What happened, as in `teu.event.v1.Event.payload`. */
export type EventPayload = NonNullable<Event['payload']>;

/** A fact to announce. */
export interface EventInput {
  /** Name of this machine in subjects; its host name will do. */
  node: string;
  /** Service that announces it. */
  source: string;
  payload: EventPayload;
  /** Request that caused it. */
  requestId?: string;
  /** When it happened; now, if not given. */
  eventTime?: Date;
}

/** A fact in the form in which outbox and journal take it. */
export interface OutgoingEvent {
  /** UUID. */
  eventId: string;
  subject: string;
  /** Encodes `teu.event.v1.Event`, given its number within its source. */
  payload: (sourceSequence: number) => Uint8Array;
}

/**
 * Makes an event: its id, its subject (from the kind and the action of the payload), its bytes.
 * The result goes straight into `store.outbox.append` or `journal.append`.
 */
export function makeEvent(input: EventInput): OutgoingEvent {
  const eventId = randomUUID();
  const subject = eventSubject(input.node, input.payload.$case, verbOf(input.payload));
  const eventTime = input.eventTime ?? clock.now();
  const payload = (sourceSequence: number): Uint8Array =>
    Event.encode({
      id: eventId,
      source: input.source,
      sourceSequence,
      eventTime,
      subject,
      requestId: input.requestId ?? '',
      payload: input.payload,
    }).finish();
  return { eventId, subject, payload };
}

/** The last part of the subject: CONTAINER_ACTION_OOM_KILLED becomes "oom_killed". */
function verbOf(payload: EventPayload): string {
  switch (payload.$case) {
    case 'container':
      return verb('CONTAINER_ACTION_', containerActionToJSON(payload.value.action));
    case 'image':
      return verb('IMAGE_ACTION_', imageActionToJSON(payload.value.action));
    case 'snapshot':
      return verb('SNAPSHOT_ACTION_', snapshotActionToJSON(payload.value.action));
    case 'driver':
      return verb('DRIVER_ACTION_', driverActionToJSON(payload.value.action));
    case 'base':
      return verb('BASE_ACTION_', baseActionToJSON(payload.value.action));
    case 'cgroup':
      return verb('CGROUP_ACTION_', cgroupActionToJSON(payload.value.action));
  }
}

function verb(prefix: string, name: string): string {
  return name.slice(prefix.length).toLowerCase();
}
