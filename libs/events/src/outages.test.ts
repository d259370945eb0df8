import { silentLogger } from '@teu/log';
import { ContainerAction } from '@teu/proto/event';
import { openStore, type Store } from '@teu/state';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import {
  connectEvents,
  consumeEvents,
  makeEvent,
  startOutboxPublisher,
  type Events,
  type OutboxPublisher,
} from './index.js';
import { startNats, type TestNats } from './testing/start-nats.js';

const log = silentLogger;
const HALF_A_PULL_MS = 30_000;
// An end for what hangs: less than that of a test, and several times the longest pause between two attempts.
const WAIT = { timeout: 45_000, interval: 20 };

let nats: TestNats;
let directory: string;
let store: Store;
const closers: (() => Promise<void>)[] = [];

beforeEach(async () => {
  nats = await startNats({ running: false });
  directory = mkdtempSync(join(tmpdir(), 'teu-events-'));
  openState();
});

afterEach(async () => {
  nats.resume();
  for (const close of closers.splice(0).reverse()) await close();
  store.close();
  rmSync(directory, { recursive: true, force: true });
  await nats.stop();
});

function openState(): void {
  store = openStore({ path: join(directory, 'state.db'), migrations: [], role: 'engine' });
}

function connect(): Events {
  const events = connectEvents({
    url: nats.url,
    service: 'engine',
    nkeySeedFile: nats.seedFile('engine'),
    ownsStream: true,
    log,
  });
  closers.push(() => events.close());
  return events;
}

function publish(events = connect()): OutboxPublisher {
  const publisher = startOutboxPublisher({ store, events, log });
  closers.push(() => publisher.close());
  return publisher;
}

/** Appends events of containers "<from>" to "<to>", each in a transaction of its own. */
function append(from: number, to: number): void {
  for (let i = from; i <= to; i += 1) {
    store.transaction(() => store.outbox.append(containerEvent(String(i))));
  }
}

function containerEvent(containerId: string, labels: Record<string, string> = {}) {
  const value = {
    action: ContainerAction.CONTAINER_ACTION_STARTED,
    containerId,
    name: 'web',
    image: 'busybox',
    execId: '',
    labels,
    error: '',
    upgradeId: '',
    imageId: '',
    oomKill: undefined,
  };
  return makeEvent({ node: 'n1', source: 'engine', payload: { $case: 'container', value } });
}

/** Container ids of the events as they come, each once; and how many came twice. */
function consume(durable?: string) {
  const seen: { ids: string[]; sources: number[]; duplicates: number } = {
    ids: [],
    sources: [],
    duplicates: 0,
  };
  const known = new Set<string>();
  const consumer = consumeEvents({
    events: connect(),
    log,
    ...(durable !== undefined && { durable }),
    handle: ({ event }) => {
      if (known.has(event.id)) {
        seen.duplicates += 1;
        return;
      }
      known.add(event.id);
      seen.sources.push(event.sourceSequence);
      if (event.payload?.$case === 'container') seen.ids.push(event.payload.value.containerId);
    },
  });
  closers.push(() => consumer.close());
  return { seen, close: () => consumer.close() };
}

const numbers = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, i) => String(from + i));

describe('events', () => {
  it('go out in order, numbered by their source, with their subject and all their fields', async () => {
    await nats.start();
    publish();
    const { seen } = consume();
    append(1, 200);
    await vi.waitFor(() => expect(seen.ids).toEqual(numbers(1, 200)), WAIT);
    expect(seen.sources).toEqual(numbers(1, 200).map(Number));
    await vi.waitFor(() => expect(store.outbox.pendingCount()).toBe(0), WAIT);
  });

  it('wait in the outbox while NATS is absent, and nobody waits for them', async () => {
    publish();
    // NATS is started only when this has returned.
    append(1, 50);
    expect(store.outbox.pendingCount()).toBe(50);
    await nats.start();
    const { seen } = consume();
    await vi.waitFor(() => expect(seen.ids).toEqual(numbers(1, 50)), WAIT);
  });

  it('are neither lost nor out of order when NATS is killed while they come', async () => {
    await nats.start();
    publish();
    const { seen } = consume('engine-test');
    append(1, 100);
    await vi.waitFor(() => expect(seen.ids.length).toBeGreaterThan(10), WAIT);
    await nats.kill();
    append(101, 200);
    await nats.start();
    append(201, 300);
    await vi.waitFor(() => expect(seen.ids).toEqual(numbers(1, 300)), WAIT);
  });

  it('wait while NATS hangs, and are stored once when it goes on', async () => {
    await nats.start();
    const events = connect();
    publish(events);
    const { seen } = consume();
    append(1, 10);
    await vi.waitFor(() => expect(seen.ids).toEqual(numbers(1, 10)), WAIT);
    nats.suspend();
    append(11, 20);
    // The publisher gives up on the answer and will try the same event again.
    await vi.waitFor(() => expect(events.connected).toBe(false), WAIT);
    nats.resume();
    await vi.waitFor(() => expect(seen.ids).toEqual(numbers(1, 20)), WAIT);
    expect(seen.duplicates).toBe(0);
  });

  it('are published after a restart of their service that came before', async () => {
    append(1, 5);
    store.close();
    openState();
    await nats.start();
    publish();
    const { seen } = consume();
    await vi.waitFor(() => expect(seen.ids).toEqual(numbers(1, 5)), WAIT);
  });

  it('are stored once if the service died between publishing and settling', async () => {
    await nats.start();
    append(1, 3);
    const publisher = publish();
    await vi.waitFor(() => expect(store.outbox.pendingCount()).toBe(0), WAIT);
    await publisher.close();
    store.prepare('UPDATE outbox SET published = 0').run();
    publish();
    append(4, 4);
    const { seen } = consume();
    await vi.waitFor(() => expect(seen.ids).toEqual(numbers(1, 4)), WAIT);
    expect(seen.duplicates).toBe(0);
  });

  it('that are too big for NATS do not hold up the ones behind them', async () => {
    await nats.start();
    publish();
    const { seen } = consume();
    append(1, 1);
    const label = 'x'.repeat(2 * 1024 * 1024);
    store.transaction(() => store.outbox.append(containerEvent('big', { label })));
    append(2, 2);
    await vi.waitFor(() => expect(seen.ids).toEqual(['1', '2']), WAIT);
  });
});

describe('a consumer', () => {
  it('goes on where it was, by its durable name', async () => {
    await nats.start();
    publish();
    append(1, 5);
    const first = consume('engine-test');
    await vi.waitFor(() => expect(first.seen.ids).toEqual(numbers(1, 5)), WAIT);
    await first.close();
    append(6, 8);
    const second = consume('engine-test');
    await vi.waitFor(() => expect(second.seen.ids).toEqual(numbers(6, 8)), WAIT);
  });

  it('gets an event again that it failed on, and keeps the order', async () => {
    await nats.start();
    publish();
    const seen: number[] = [];
    const consumer = consumeEvents({
      events: connect(),
      log,
      durable: 'engine-test',
      handle: ({ event }) => {
        seen.push(event.sourceSequence);
        if (event.sourceSequence === 2 && seen.length === 2) throw new Error('not this time');
      },
    });
    closers.push(() => consumer.close());
    append(1, 4);
    await vi.waitFor(() => expect(seen).toEqual([1, 2, 2, 3, 4]), WAIT);
  });

  it('begins at a number of the stream', async () => {
    await nats.start();
    publish();
    append(1, 5);
    await vi.waitFor(() => expect(store.outbox.pendingCount()).toBe(0), WAIT);
    const seen: number[] = [];
    const consumer = consumeEvents({
      events: connect(),
      log,
      fromSequence: 4,
      handle: ({ streamSequence }) => void seen.push(streamSequence),
    });
    closers.push(() => consumer.close());
    await vi.waitFor(() => expect(seen).toEqual([4, 5]), WAIT);
  });

  it('ends at once while it waits, also without NATS', async () => {
    const { close } = consume();
    await close();
    await nats.start();
    const waiting = consume('engine-test');
    append(1, 1);
    publish();
    await vi.waitFor(() => expect(waiting.seen.ids).toEqual(['1']), WAIT);
    // Without being ended, its question to the server would stand for a minute.
    const late = setTimeout(HALF_A_PULL_MS, 'late', { ref: false });
    expect(await Promise.race([waiting.close().then(() => 'ended'), late])).toBe('ended');
  });
});
