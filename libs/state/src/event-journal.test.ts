import { isTeuError } from '@teu/errors';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openEventJournal, openStore, type EventJournal, type Store } from './index.js';

let directory: string;
let store: Store;
let journal: EventJournal;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'teu-journal-'));
  open();
});

afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true, force: true });
});

function open(retain = 1000): void {
  store = openStore({ path: join(directory, 'state.db'), migrations: [], role: 'test' });
  journal = openEventJournal(store, { retain });
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (entry: { payload: Uint8Array }): string => new TextDecoder().decode(entry.payload);

function append(eventId: string): number {
  return store.transaction(() =>
    journal.append({ eventId, subject: `s.${eventId}`, payload: (n) => bytes(`${eventId}#${n}`) }),
  );
}

async function collect(entries: AsyncIterable<{ payload: Uint8Array }>, count: number) {
  const seen: string[] = [];
  for await (const entry of entries) {
    seen.push(text(entry));
    if (seen.length === count) break;
  }
  return seen;
}

describe('the journal', () => {
  it('numbers own and foreign events in one row, and publishes only its own', () => {
    expect(append('a')).toBe(1);
    expect(journal.ingest({ eventId: 'f', payload: bytes('foreign') })).toBe(2);
    expect(append('b')).toBe(3);
    expect(journal.read(1, 10).map(text)).toEqual(['a#1', 'foreign', 'b#2']);
    expect(store.outbox.pending(10)).toMatchObject([
      { sequence: 1, eventId: 'a', subject: 's.a' },
      { sequence: 2, eventId: 'b', subject: 's.b' },
    ]);
  });

  it('takes a foreign event once', () => {
    expect(journal.ingest({ eventId: 'f', payload: bytes('1') })).toBe(1);
    expect(journal.ingest({ eventId: 'f', payload: bytes('2') })).toBeUndefined();
    expect(journal.range()).toEqual({ oldest: 1, newest: 1 });
  });

  it('leaves no gap when a transaction is rolled back', () => {
    append('a');
    expect(() =>
      store.transaction(() => {
        journal.append({ eventId: 'b', subject: 's', payload: bytes('b') });
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(append('c')).toBe(2);
    expect(journal.read(2, 1).map(text)).toEqual(['c#2']);
  });

  it('needs the transaction that makes an event true', () => {
    expect(() => journal.append({ eventId: 'a', subject: 's', payload: bytes('a') })).toThrow();
    expect(journal.range()).toEqual({ oldest: 1, newest: 0 });
  });

  it('goes on counting where it was, also when all old entries are gone', () => {
    append('a');
    store.prepare('DELETE FROM journal').run();
    store.close();
    open();
    expect(append('b')).toBe(2);
    expect(journal.range()).toEqual({ oldest: 2, newest: 2 });
  });

  it('forgets the oldest beyond what it retains, and says so to who asks for them', () => {
    store.close();
    open(100);
    for (let i = 1; i <= 512; i += 1) append(`e${i}`);
    const { oldest, newest } = journal.range();
    expect(newest).toBe(512);
    expect(oldest).toBe(413);
    expect(journal.read(oldest, 1)).toHaveLength(1);
    expect(() => journal.read(oldest - 1, 1)).toThrow(
      expect.toSatisfy((error) => isTeuError(error, 'EVENTS_EXPIRED')),
    );
  });
});

describe('following the journal', () => {
  it('gives the past and then what is new', async () => {
    append('a');
    const seen = collect(journal.follow({ from: 1 }), 3);
    append('b');
    await Promise.resolve();
    append('c');
    expect(await seen).toEqual(['a#1', 'b#2', 'c#3']);
  });

  it('gives new ones only from 0, counted from the call', async () => {
    append('a');
    const entries = journal.follow({ from: 0 });
    append('b');
    expect(await collect(entries, 1)).toEqual(['b#2']);
  });

  it('ends at what is there now', async () => {
    append('a');
    append('b');
    const entries = journal.follow({ from: 1, untilNow: true });
    append('c');
    expect(await collect(entries, 99)).toEqual(['a#1', 'b#2']);
    expect(await collect(journal.follow({ from: 4, untilNow: true }), 99)).toEqual([]);
  });

  it('ends with its signal while it waits', async () => {
    const stop = new AbortController();
    const seen = collect(journal.follow({ from: 1, signal: stop.signal }), 99);
    append('a');
    setImmediate(() => stop.abort());
    expect(await seen).toEqual(['a#1']);
  });

  it('gives every event exactly once to a reader that is slower than the writers', async () => {
    const expected = Array.from({ length: 600 }, (_, i) => `e${i}#${i + 1}`);
    const seen = collect(journal.follow({ from: 1 }), 600);
    for (let i = 0; i < 600; i += 1) {
      append(`e${i}`);
      if (i % 7 === 0) await new Promise(setImmediate);
    }
    expect(await seen).toEqual(expected);
  });
});
