import { teuError } from '@teu/errors';
import type { WatchEventsRequest, WatchEventsResponse } from '@teu/proto/engine';
import { Event } from '@teu/proto/event';
import type { CallContext } from '@teu/rpc';
import type { Engine } from '../domain/engine.js';

/** Streams events by number, the past first. */
export const watchEventsHandler = (engine: Engine) =>
  async function* (
    request: WatchEventsRequest,
    { signal }: CallContext,
  ): AsyncGenerator<WatchEventsResponse> {
    const { fromSequence, untilNow } = request;
    const { journal, registry } = engine;
    const containerId = request.container === '' ? '' : registry.resolve(request.container).id;
    const { oldest, newest } = journal.range();
    const from = fromSequence === 0 ? newest + 1 : fromSequence;
    requireKept(from, oldest, newest);
    const entries = journal.follow({ from, untilNow, signal });
    yield { sequence: from, event: undefined };
    for await (const { sequence, payload } of entries) {
      const event = Event.decode(payload);
      if (containerId === '' || isAbout(event, containerId)) yield { sequence, event };
    }
  };

/** A number that is not there yet comes from another journal: waiting for it would hide that. */
function requireKept(from: number, oldest: number, newest: number): void {
  if (from >= oldest && from <= newest + 1) return;
  const range = `the oldest event kept is ${oldest}, the newest ${newest}`;
  throw teuError('EVENTS_EXPIRED', `there is no event ${from}: ${range}`, {
    metadata: { oldest: String(oldest), newest: String(newest) },
  });
}

function isAbout({ payload }: Event, containerId: string): boolean {
  switch (payload?.$case) {
    case 'container':
    case 'cgroup':
      return payload.value.containerId === containerId;
    default:
      return false;
  }
}
