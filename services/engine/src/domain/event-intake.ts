import { consumeEvents, type EventConsumer, type Events } from '@teu/events';
import type { EngineParts } from './engine-parts.js';

/**
 * Takes the events of the other services into the engine's journal, so that its clients see everything in one
 * order. Duplicates are told apart by their ids; with NATS away it waits.
 */
export function takeInEvents(
  { journal, log }: Pick<EngineParts, 'journal' | 'log'>,
  events: Events,
  durable: string,
): EventConsumer {
  return consumeEvents({
    events,
    log,
    durable,
    handle: ({ event, payload }) => {
      // Events of an engine, this one's or another's, are in its own journal already.
      if (event.source === 'engine' || event.id === '') return;
      journal.ingest({ eventId: event.id, payload });
    },
  });
}
