import { isTeuError } from '@teu/errors';
import { mkdtempSync, readFileSync, rmSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openStore, type Store } from './index.js';

const MIGRATIONS = ['CREATE TABLE things (name TEXT PRIMARY KEY, size INTEGER) STRICT'];

let directory: string;
let path: string;
let store: Store | undefined;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'teu-state-'));
  path = join(directory, 'engine', 'state.db');
});

afterEach(() => {
  store?.close();
  rmSync(directory, { recursive: true, force: true });
});

function open(migrations: string[] = MIGRATIONS): Store {
  store = openStore({ path, migrations });
  return store;
}

function add(target: Store, name: string): void {
  target.transaction(() => target.prepare('INSERT INTO things VALUES (?, 1)').run(name));
}

function names(target: Store): string[] {
  return target
    .prepare<{ name: string }>('SELECT name FROM things ORDER BY name')
    .all()
    .map((row) => row.name);
}

function failure(work: () => unknown): { reason: string; message: string } {
  try {
    work();
  } catch (error) {
    if (isTeuError(error)) return { reason: error.reason, message: error.message };
    throw error;
  }
  throw new Error('it did not fail');
}

describe('an open store', () => {
  it('is in WAL mode, fully synchronous, and readable by its owner only', () => {
    const { db } = open();
    expect(db.prepare('PRAGMA journal_mode').get()).toEqual({ journal_mode: 'wal' });
    expect(db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
    expect(db.prepare('PRAGMA foreign_keys').get()).toEqual({ foreign_keys: 1 });
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(statSync(join(directory, 'engine')).mode & 0o777).toBe(0o700);
  });

  it('has what was put into it after it was closed and opened again', () => {
    const first = open();
    add(first, 'a');
    first.close();
    first.close();
    expect(names(open())).toEqual(['a']);
  });

  it('prepares a statement once', () => {
    const { prepare } = open();
    expect(prepare('SELECT 1')).toBe(prepare('SELECT 1'));
  });

  it('has one writer: a second one is refused', () => {
    open();
    const { reason, message } = failure(() => openStore({ path, migrations: MIGRATIONS }));
    expect(reason).toBe('STORAGE_FAILED');
    expect(message).toBe('the state of engine is in use by another process');
  });
});

describe('transactions', () => {
  it('happen as a whole or not at all', () => {
    const target = open();
    const boom = new Error('boom');
    expect(() =>
      target.transaction(() => {
        target.prepare('INSERT INTO things VALUES (?, 1)').run('a');
        throw boom;
      }),
    ).toThrow(boom);
    expect(names(target)).toEqual([]);
    expect(target.inTransaction()).toBe(false);
  });

  it('nest: the inner one can fail alone', () => {
    const target = open();
    target.transaction(() => {
      add(target, 'outer');
      expect(() =>
        target.transaction(() => {
          add(target, 'inner');
          throw new Error('inner fails');
        }),
      ).toThrow('inner fails');
    });
    expect(names(target)).toEqual(['outer']);
  });

  it('refuse asynchronous work, which would end outside of them', () => {
    const target = open();
    expect(() => target.transaction(() => Promise.resolve())).toThrow(TypeError);
    expect(target.inTransaction()).toBe(false);
  });

  it('call back after the commit and not after a rollback', () => {
    const target = open();
    const calls: string[] = [];
    target.transaction(() => target.afterCommit(() => calls.push('committed')));
    expect(() =>
      target.transaction(() => {
        target.afterCommit(() => calls.push('rolled back'));
        throw new Error('no');
      }),
    ).toThrow('no');
    expect(calls).toEqual(['committed']);
  });

  it('are fully synchronous again after one that was not', () => {
    const target = open();
    target.transaction(() => add(target, 'a'), { durable: false });
    expect(target.db.prepare('PRAGMA synchronous').get()).toEqual({ synchronous: 2 });
  });
});

describe('the schema', () => {
  it('is brought up to date, each step once', () => {
    open().close();
    const target = open([...MIGRATIONS, 'ALTER TABLE things ADD COLUMN colour TEXT']);
    target.close();
    const again = open([...MIGRATIONS, 'ALTER TABLE things ADD COLUMN colour TEXT']);
    expect(() => again.prepare('SELECT colour FROM things').all()).not.toThrow();
  });

  it('stays as it was if a step fails', () => {
    open().close();
    expect(() =>
      open([...MIGRATIONS, 'ALTER TABLE things ADD COLUMN b TEXT', 'nonsense']),
    ).toThrow();
    const target = open();
    expect(() => target.prepare('SELECT b FROM things').all()).toThrow();
  });

  it('of a newer version is refused', () => {
    open([...MIGRATIONS, 'CREATE TABLE more (a INTEGER) STRICT']).close();
    const { reason, message } = failure(() => open());
    expect(reason).toBe('STORAGE_FAILED');
    expect(message).toContain('was written by a newer version');
  });
});

describe('a state file that is not what it should be', () => {
  beforeEach(() => {
    const target = open();
    for (let i = 0; i < 500; i += 1) add(target, `thing ${i}`);
    target.close();
  });

  const damage: Record<string, (file: string) => void> = {
    truncated: (file) => truncateSync(file, 10_000),
    'no database': (file) => writeFileSync(file, 'x'.repeat(20_000)),
    'bits flipped': (file) => {
      const bytes = readFileSync(file);
      bytes.fill(0xa5, bytes.length - 4096 * 2, bytes.length - 4096);
      writeFileSync(file, bytes);
    },
  };
  it.each(Object.keys(damage))('is refused: %s', (kind) => {
    damage[kind]?.(path);
    const { reason, message } = failure(() => open());
    expect(reason).toBe('STORAGE_FAILED');
    expect(message).toContain('the state of engine');
    expect(message).not.toContain(directory);
  });

  it("is refused if it is another service's", () => {
    const { reason, message } = failure(() =>
      openStore({ path, migrations: MIGRATIONS, role: 'image' }),
    );
    expect(reason).toBe('STORAGE_FAILED');
    expect(message).toContain('the file belongs to engine');
  });

  it('is made anew if it is empty, as after a crash at its making', () => {
    truncateSync(path, 0);
    expect(names(open())).toEqual([]);
  });
});
