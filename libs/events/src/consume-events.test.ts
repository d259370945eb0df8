import { silentLogger } from '@teu/log';
import { expect, test } from 'vitest';
import type { Events } from './connect-events.js';
import { consumeEvents } from './consume-events.js';
import type { MessageWalk, NatsLink } from './nats-link.js';

test('an end that is asked for while a walk is begun stops the walk', async () => {
  let stopped = false;
  let endWalk: () => void = () => undefined;
  const ended = new Promise<void>((resolve) => {
    endWalk = resolve;
  });
  const walk: MessageWalk = {
    // eslint-disable-next-line require-yield -- no message ever comes
    messages: (async function* () {
      await ended;
    })(),
    stop: () => {
      stopped = true;
      endWalk();
    },
  };
  let beginWalk: (walk: MessageWalk) => void = () => undefined;
  let askedFor: () => void = () => undefined;
  const asked = new Promise<void>((resolve) => {
    askedFor = resolve;
  });
  const link: Partial<NatsLink> = {
    walk: () => {
      askedFor();
      return new Promise((begin) => {
        beginWalk = begin;
      });
    },
  };
  const events: Partial<Events> = { link: () => Promise.resolve(link as NatsLink) };
  const options = { events: events as Events, log: silentLogger };
  const consumer = consumeEvents({ ...options, handle: () => undefined });
  await asked;
  const closed = consumer.close();
  beginWalk(walk);
  await closed;
  expect(stopped).toBe(true);
});
