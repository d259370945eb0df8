import { strict as assert } from 'node:assert';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeLayer, statusOf, withMounted, type ConformanceCase } from '../conformance-case.js';

/** Many callers at once. */
export const CONCURRENCY_CASES: readonly ConformanceCase[] = [
  {
    name: 'concurrent-prepares',
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeLayer(context, 'base', '', (root) => {
        writeFileSync(join(root, 'low'), 'low');
      });
      const keys = Array.from({ length: 50 }, (_, index) => key(`a${index}`));
      const made = await Promise.all(keys.map((name) => snapshots.prepare(name, base)));
      assert.equal(new Set(made.map((mounts) => JSON.stringify(mounts))).size, keys.length);
      for (const index of [0, 25, 49]) {
        await withMounted(context, made[index] ?? [], (root) => {
          assert.equal(readFileSync(join(root, 'low'), 'utf8'), 'low');
          writeFileSync(join(root, 'mine'), 'x', { flag: 'wx' });
        });
      }
      await Promise.all(keys.map((name) => snapshots.remove(name)));
      await snapshots.prepare(key('after'), base);
    },
  },
  {
    name: 'one-of-the-same-key-wins',
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeLayer(context, 'base', '');
      const twenty = Array.from({ length: 20 });
      const outcomes = await Promise.all(
        twenty.map(() => statusOf(snapshots.prepare(key('same'), base))),
      );
      expectOneWinner(outcomes, 'ALREADY_EXISTS');
      await withMounted(context, await snapshots.mounts(key('same')), (root) => {
        writeFileSync(join(root, 'a'), 'x');
      });
      const removals = await Promise.all(twenty.map(() => statusOf(snapshots.remove(key('same')))));
      expectOneWinner(removals, 'NOT_FOUND');
    },
  },
  {
    name: 'one-of-the-same-name-wins',
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeLayer(context, 'base', '');
      const keys = Array.from({ length: 8 }, (_, index) => key(`a${index}`));
      for (const name of keys) await snapshots.prepare(name, base);
      const outcomes = await Promise.all(
        keys.map((name) => statusOf(snapshots.commit(key('c'), name))),
      );
      expectOneWinner(outcomes, 'ALREADY_EXISTS');
      const all = await snapshots.list();
      assert.equal(all.filter(({ name }) => keys.includes(name)).length, keys.length - 1);
    },
  },
  {
    name: 'removing-against-preparing',
    run: async (context) => {
      const { snapshots, key } = context;
      for (let round = 0; round < 10; round += 1) {
        const base = await makeLayer(context, `base ${round}`, '');
        const child = key(`a${round}`);
        const [removed, prepared] = await Promise.all([
          statusOf(snapshots.remove(base)),
          statusOf(snapshots.prepare(child, base)),
        ]);
        const outcome = `${String(removed)} ${String(prepared)}`;
        assert.ok(['OK NOT_FOUND', 'FAILED_PRECONDITION OK'].includes(outcome), outcome);
        if (prepared === 'OK') assert.equal((await snapshots.stat(child)).parent, base);
      }
    },
  },
];

function expectOneWinner(outcomes: readonly unknown[], others: string): void {
  assert.equal(outcomes.filter((outcome) => outcome === 'OK').length, 1, 'how many have won');
  assert.ok(
    outcomes.every((outcome) => outcome === 'OK' || outcome === others),
    outcomes.join(' '),
  );
}
