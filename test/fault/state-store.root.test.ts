import { isTeuError } from '@teu/errors';
import { openStore, type Store } from '@teu/state';
import { loopFilesystem, requires, type LoopFilesystem } from '@teu/testing';
import { existsSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const MIB = 1024 * 1024;
const MIGRATIONS = ['CREATE TABLE things (name TEXT PRIMARY KEY, body BLOB) STRICT'];

let disk: LoopFilesystem;
let store: Store;
let fatal: unknown[];

function open(): void {
  fatal = [];
  store = openStore({
    path: join(disk.path, 'engine', 'state.db'),
    migrations: MIGRATIONS,
    onFatal: (error) => fatal.push(error),
  });
}

beforeEach(async () => {
  disk = await loopFilesystem(48 * MIB);
  open();
});

afterEach(() => {
  store.close();
  disk.remove();
});

async function powerCut(): Promise<void> {
  await disk.cutPower();
  store.close();
  await disk.restart();
  open();
}

function add(name: string, options?: { durable: boolean }): void {
  store.transaction(() => {
    store.prepare('INSERT INTO things VALUES (?, zeroblob(2000))').run(name);
    store.outbox.append({ eventId: name, subject: 's', payload: new Uint8Array(100) });
  }, options);
}

function names(): string[] {
  return store
    .prepare<{ name: string }>('SELECT name FROM things ORDER BY rowid')
    .all()
    .map((row) => row.name);
}

const series = (count: number): string[] => Array.from({ length: count }, (_, i) => `thing ${i}`);

function failure(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (isTeuError(error)) return error.reason;
    throw error;
  }
  return 'none';
}

describe.runIf(requires('root', 'loop', 'ext4', 'mkfs.ext4', 'python3'))('a power cut', () => {
  // 1: the file itself is new; 600: the log was written back and begun anew several times.
  it.each([1, 50, 600])('keeps all of %d acknowledged transactions', async (count) => {
    for (const name of series(count)) add(name);
    await powerCut();
    expect(names()).toEqual(series(count));
    expect(store.outbox.pendingCount()).toBe(count);
    expect(store.db.prepare('PRAGMA integrity_check').get()).toEqual({ integrity_check: 'ok' });
  });

  it('keeps an intent that was begun', async () => {
    const id = store.intents.begin({ operation: 'run', objectKey: 'a' });
    await powerCut();
    expect(store.intents.list()).toMatchObject([{ id }]);
  });

  it('loses what was not asked to be durable: so the disk of this test does lose things', async () => {
    add('durable');
    for (const name of series(50)) add(name, { durable: false });
    await powerCut();
    expect(names()).toEqual(['durable']);
  });

  it('makes an event pending again whose publication was only noted', async () => {
    add('a');
    store.outbox.settle(1, 'published');
    await powerCut();
    expect(store.outbox.pendingCount()).toBe(1);
  });
});

describe.runIf(requires('root', 'loop', 'ext4', 'mkfs.ext4', 'python3'))('a failing disk', () => {
  it('fails the transaction, tells once, and lets nothing through from then on', async () => {
    add('a');
    await disk.cutPower();
    expect(failure(() => add('b'))).toBe('STORAGE_FAILED');
    expect(failure(() => add('c'))).toBe('STORAGE_FAILED');
    expect(failure(names)).toBe('STORAGE_FAILED');
    expect(fatal).toHaveLength(1);
    await powerCut();
    expect(names()).toEqual(['a']);
    add('b');
  });
});

describe.runIf(requires('root', 'loop', 'ext4', 'mkfs.ext4'))('a full disk', () => {
  it('fails the write and changes nothing; deleting works and makes room', () => {
    const filler = join(disk.path, 'filler');
    for (const name of series(100)) add(name);
    fill(filler);
    const written: string[] = [];
    const reason = failure(() => {
      for (let i = 0; i < 20_000; i += 1) {
        add(`more ${i}`);
        written.push(`more ${i}`);
      }
    });
    expect(reason).toBe('STORAGE_FULL');
    expect(names()).toEqual([...series(100), ...written]);
    expect(statfsSync(disk.path).bavail * statfsSync(disk.path).bsize).toBeLessThan(2 * MIB);
    expect(existsSync(join(disk.path, 'engine', 'state.db-reserve'))).toBe(false);
    for (const name of series(100)) {
      store.transaction(() => store.prepare('DELETE FROM things WHERE name = ?').run(name));
    }
    expect(names()).toEqual(written);
    truncateSync(filler, 0);
    add('again');
    expect(existsSync(join(disk.path, 'engine', 'state.db-reserve'))).toBe(true);
    expect(fatal).toEqual([]);
  });
});

/** Writes until nothing more fits. */
function fill(path: string): void {
  for (const size of [MIB, 64 * 1024, 4096]) {
    const chunk = Buffer.alloc(size);
    for (;;) {
      try {
        writeFileSync(path, chunk, { flag: 'a' });
      } catch {
        break;
      }
    }
  }
}
