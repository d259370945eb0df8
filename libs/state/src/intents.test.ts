import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { bootId, openStore, type Store } from './index.js';

let directory: string;
let store: Store;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'teu-intents-'));
  store = openStore({ path: join(directory, 'state.db'), migrations: [], role: 'test' });
});

afterEach(() => {
  store.close();
  rmSync(directory, { recursive: true, force: true });
});

describe('intents', () => {
  it('are kept until they are finished', () => {
    const first = store.intents.begin({ operation: 'run', objectKey: 'a', payload: { pid: 7 } });
    const second = store.intents.begin({ operation: 'remove', objectKey: 'b' });
    expect(store.intents.list().map((intent) => intent.id)).toEqual(
      expect.arrayContaining([first, second]),
    );
    expect(store.intents.list('a')).toMatchObject([
      { id: first, operation: 'run', payload: { pid: 7 }, bootId: bootId() },
    ]);
    store.intents.finish(first);
    store.intents.finish(first);
    expect(store.intents.list()).toMatchObject([{ id: second, payload: null }]);
  });

  it('are finished with the transaction that records the outcome', () => {
    const id = store.intents.begin({ operation: 'run', objectKey: 'a' });
    expect(() =>
      store.transaction(() => {
        store.intents.finish(id);
        throw new Error('no outcome');
      }),
    ).toThrow('no outcome');
    expect(store.intents.list('a')).toHaveLength(1);
  });
});
