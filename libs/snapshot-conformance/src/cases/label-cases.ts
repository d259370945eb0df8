import { Kind } from '@teu/proto/snapshots';
import { strict as assert } from 'node:assert';
import { expectStatus, makeLayer, type ConformanceCase } from '../conformance-case.js';

/** Labels, listing and accounting. */
export const LABEL_CASES: readonly ConformanceCase[] = [
  {
    name: 'update',
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeLayer(context, 'base', '');
      const before = await snapshots.stat(base);
      const all = await snapshots.update(base, { a: '1', b: '2' });
      assert.deepEqual(all.labels, { a: '1', b: '2' });
      const one = await snapshots.update(base, { b: '3', c: 'ignored' }, ['labels.b']);
      assert.deepEqual(one.labels, { a: '1', b: '3' });
      const dropped = await snapshots.update(base, {}, ['labels.a']);
      assert.deepEqual(dropped.labels, { b: '3' });
      const dots = await snapshots.update(base, { 'x.y/z': '4' }, ['labels.x.y/z']);
      assert.deepEqual(dots.labels, { b: '3', 'x.y/z': '4' });
      assert.deepEqual((await snapshots.update(base, { d: '5' }, ['labels'])).labels, { d: '5' });
      const after = await snapshots.stat(base);
      assert.deepEqual(after.createdAt, before.createdAt);
      assert.ok((after.updatedAt?.getTime() ?? 0) >= (before.updatedAt?.getTime() ?? 0));
      await expectStatus(() => snapshots.update(base, {}, ['parent']), 'INVALID_ARGUMENT');
      await expectStatus(() => snapshots.update(key('none'), {}), 'NOT_FOUND');
    },
  },
  {
    name: 'label-limits',
    run: async ({ snapshots, key }) => {
      const most = { k: 'v'.repeat(4095) };
      await snapshots.prepare(key('a'), '', most);
      assert.deepEqual((await snapshots.stat(key('a'))).labels, most);
      const tooMuch = { k: 'v'.repeat(4096) };
      await expectStatus(() => snapshots.prepare(key('b'), '', tooMuch), 'INVALID_ARGUMENT');
      await expectStatus(() => snapshots.update(key('a'), tooMuch), 'INVALID_ARGUMENT');
    },
  },
  {
    name: 'list',
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeLayer(context, 'base', '');
      await snapshots.prepare(key('a'), base, {
        'containerd.io/snapshot.ref': 'sha256:1',
        run: key(''),
      });
      await snapshots.view(key('v'), base, { run: key('') });
      const names = async (...filters: string[]): Promise<string[]> =>
        (await snapshots.list(...filters)).map(({ name }) => name).sort();
      const all = await names();
      for (const name of [base, key('a'), key('v')]) assert.ok(all.includes(name));
      const quotedBase = JSON.stringify(base);
      assert.deepEqual(await names(`parent==${quotedBase}`), [key('a'), key('v')].sort());
      assert.deepEqual(await names(`parent==${quotedBase},kind==view`), [key('v')]);
      assert.deepEqual(
        await names(`name==${quotedBase}`, `parent==${quotedBase},kind==active`),
        [base, key('a')].sort(),
      );
      const reference = 'labels."containerd.io/snapshot.ref"==sha256:1';
      assert.deepEqual(await names(`${reference},parent==${quotedBase}`), [key('a')]);
    },
  },
  {
    name: 'malformed-filters',
    run: async ({ snapshots }) => {
      for (const filter of ['name==', 'labels."open==1', '==x', ',']) {
        await expectStatus(() => snapshots.list(filter), 'INVALID_ARGUMENT');
      }
    },
  },
  {
    name: 'list-many',
    run: async ({ snapshots, key }) => {
      const keys = Array.from({ length: 120 }, (_, index) => key(`n${index}`));
      for (const name of keys) await snapshots.view(name, '', { many: key('') });
      const found = await snapshots.list(`labels.many==${JSON.stringify(key(''))}`);
      assert.deepEqual(found.map(({ name }) => name).sort(), keys.sort());
      assert.ok(found.every(({ kind }) => kind === Kind.VIEW));
      for (const name of keys) await snapshots.remove(name);
    },
  },
];
