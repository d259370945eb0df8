import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore, type Store } from './index.js';

let directory: string;
let store: Store;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'teu-outbox-'));
  store = openStore({ path: join(directory, 'state.db'), migrations: [], role: 'test' });
});

afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true, force: true });
});

function append(eventId: string): number {
  const payload = new TextEncoder().encode(eventId);
  return store.transaction(() => store.outbox.append({ eventId, subject: 's', payload }));
}

const pendingIds = (): string[] => store.outbox.pending(10).map((event) => event.eventId);

describe('the outbox', () => {
  it('gives facts in order until they are settled', () => {
    expect([append('a'), append('b'), append('c')]).toEqual([1, 2, 3]);
    store.outbox.settle(1, 'published');
    store.outbox.settle(2, 'rejected');
    expect(pendingIds()).toEqual(['c']);
    expect(store.outbox.pendingCount()).toBe(1);
  });

  it('refuses a fact outside of a transaction, and the same fact twice', () => {
    const event = { eventId: 'a', subject: 's', payload: new Uint8Array() };
    expect(() => store.outbox.append(event)).toThrow('needs the transaction');
    append('a');
    expect(() => append('a')).toThrow();
    expect(append('b')).toBe(2);
  });

  it('tells its listener once per commit, and only after it', () => {
    const seen: number[] = [];
    const stop = store.outbox.onAppend(() => seen.push(store.outbox.pendingCount()));
    store.transaction(() => {
      append('a');
      append('b');
      expect(seen).toEqual([]);
    });
    expect(seen).toEqual([2]);
    stop();
    append('c');
    expect(seen).toEqual([2]);
  });

  it('publishes again what was published shortly before the machine went down', () => {
    append('a');
    append('b');
    store.outbox.settle(1, 'published');
    expect(store.outbox.reviveAfterReboot()).toBe(0);
    store.prepare("UPDATE outbox SET publish_boot_id = 'earlier' WHERE sequence = 1").run();
    expect(store.outbox.reviveAfterReboot()).toBe(1);
    expect(pendingIds()).toEqual(['a', 'b']);
  });
});
