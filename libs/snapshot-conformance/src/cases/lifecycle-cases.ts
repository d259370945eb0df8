import { Kind } from '@teu/proto/snapshots';
import { Capability } from '@teu/proto/storage';
import { strict as assert } from 'node:assert';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  cleanUp,
  expectStatus,
  makeLayer,
  withMounted,
  withView,
  type ConformanceCase,
} from '../conformance-case.js';

/** So many bytes of a key must fit. */
const KEY_BYTES = 4096;

/** Keys, kinds and who may follow whom. */
export const LIFECYCLE_CASES: readonly ConformanceCase[] = [
  {
    name: 'basic',
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeLayer(context, 'base', '', (root) => {
        writeFileSync(join(root, 'foo'), 'foo\n');
      });
      const top = await makeLayer(context, 'top', base, (root) => {
        assert.equal(readFileSync(join(root, 'foo'), 'utf8'), 'foo\n');
        writeFileSync(join(root, 'bar'), 'bar\n');
      });
      await withView(context, top, (root) => {
        assert.equal(readFileSync(join(root, 'foo'), 'utf8'), 'foo\n');
        assert.equal(readFileSync(join(root, 'bar'), 'utf8'), 'bar\n');
      });
      await expectStatus(() => snapshots.stat(key('top being made')), 'NOT_FOUND');
    },
  },
  {
    name: 'stat-active',
    run: async ({ snapshots, key }) => {
      await snapshots.prepare(key('a'), '', { colour: 'blue' });
      const info = await snapshots.stat(key('a'));
      assert.equal(info.name, key('a'));
      assert.equal(info.kind, Kind.ACTIVE);
      assert.equal(info.parent, '');
      assert.deepEqual(info.labels, { colour: 'blue' });
      assert.ok(info.createdAt !== undefined && info.updatedAt !== undefined);
    },
  },
  {
    name: 'stat-committed',
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeLayer(context, 'base', '');
      await snapshots.prepare(key('a'), base, { from: 'active' });
      await snapshots.commit(key('c'), key('a'), { from: 'commit' });
      const info = await snapshots.stat(key('c'));
      assert.equal(info.kind, Kind.COMMITTED);
      assert.equal(info.parent, base);
      assert.deepEqual(info.labels, { from: 'commit' });
    },
  },
  {
    name: 'key-taken',
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeLayer(context, 'base', '');
      await snapshots.prepare(key('a'), base);
      await expectStatus(() => snapshots.prepare(key('a'), base), 'ALREADY_EXISTS');
      await expectStatus(() => snapshots.view(key('a'), base), 'ALREADY_EXISTS');
      await expectStatus(() => snapshots.commit(base, key('a')), 'ALREADY_EXISTS');
      assert.ok((await snapshots.mounts(key('a'))).length > 0);
    },
  },
  {
    name: 'idempotent-retry',
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeLayer(context, 'base', '');
      const first = await snapshots.prepare(key('a'), base);
      await expectStatus(() => snapshots.prepare(key('a'), base), 'ALREADY_EXISTS');
      assert.deepEqual(await snapshots.mounts(key('a')), first);
      await snapshots.commit(key('c'), key('a'));
      await expectStatus(() => snapshots.commit(key('c'), key('a')), 'ALREADY_EXISTS');
      assert.equal((await snapshots.stat(key('c'))).parent, base);
      await snapshots.remove(key('c'));
      await expectStatus(() => snapshots.remove(key('c')), 'NOT_FOUND');
      await expectStatus(() => snapshots.commit(key('c'), key('a')), 'NOT_FOUND');
    },
  },
  {
    name: 'opaque-keys',
    run: async ({ snapshots, key }) => {
      for (const odd of [
        'a/../../b',
        ' leading blank',
        'k8s.io/7/extract-1 sha256:ab',
        'ümläut\n',
      ]) {
        await snapshots.prepare(key(odd));
        assert.equal((await snapshots.stat(key(odd))).name, key(odd));
        await snapshots.remove(key(odd));
      }
    },
  },
  {
    name: 'long-keys',
    run: async (context) => {
      const { snapshots, key } = context;
      const long = key('').padEnd(KEY_BYTES, 'x');
      const name = `${long.slice(0, -1)}y`;
      await snapshots.prepare(long);
      await snapshots.commit(name, long);
      await snapshots.view(long, name);
      assert.equal((await snapshots.stat(long)).parent, name);
    },
  },
  {
    name: 'empty-keys',
    run: async ({ snapshots, key }) => {
      await expectStatus(() => snapshots.prepare(''), 'INVALID_ARGUMENT');
      await expectStatus(() => snapshots.view(''), 'INVALID_ARGUMENT');
      await snapshots.prepare(key('a'));
      await expectStatus(() => snapshots.commit('', key('a')), 'INVALID_ARGUMENT');
    },
  },
  {
    name: 'parents-must-be-committed',
    run: async ({ snapshots, key }) => {
      await snapshots.prepare(key('a'));
      await expectStatus(() => snapshots.prepare(key('b'), key('a')), 'INVALID_ARGUMENT');
      await expectStatus(() => snapshots.view(key('b'), key('a')), 'INVALID_ARGUMENT');
      await expectStatus(() => snapshots.prepare(key('b'), key('none')), 'NOT_FOUND');
      await expectStatus(() => snapshots.stat(key('b')), 'NOT_FOUND');
    },
  },
  {
    name: 'views-cannot-be-committed',
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeLayer(context, 'base', '');
      await snapshots.view(key('v'), base);
      await expectStatus(() => snapshots.commit(key('c'), key('v')), 'FAILED_PRECONDITION');
      assert.equal((await snapshots.stat(key('v'))).kind, Kind.VIEW);
    },
  },
  {
    name: 'committed-have-no-mounts',
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeLayer(context, 'base', '');
      await expectStatus(() => snapshots.mounts(base), 'FAILED_PRECONDITION');
      await expectStatus(() => snapshots.commit(key('c'), base), 'FAILED_PRECONDITION');
      await expectStatus(() => snapshots.mounts(key('none')), 'NOT_FOUND');
      await expectStatus(() => snapshots.commit(key('c'), key('none')), 'NOT_FOUND');
    },
  },
  {
    name: 'transitivity',
    run: async (context) => {
      const { snapshots } = context;
      const base = await makeLayer(context, 'base', '');
      const middle = await makeLayer(context, 'middle', base);
      const top = await makeLayer(context, 'top', middle);
      assert.equal((await snapshots.stat(top)).parent, middle);
      assert.equal((await snapshots.stat(middle)).parent, base);
      assert.equal((await snapshots.stat(base)).parent, '');
    },
  },
  {
    name: 'remove-with-children',
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeLayer(context, 'base', '');
      const top = await makeLayer(context, 'top', base);
      await snapshots.prepare(key('a'), top);
      await expectStatus(() => snapshots.remove(base), 'FAILED_PRECONDITION');
      await expectStatus(() => snapshots.remove(top), 'FAILED_PRECONDITION');
      await snapshots.remove(key('a'));
      await snapshots.remove(top);
      await snapshots.remove(base);
      await cleanUp(context);
      await expectStatus(() => snapshots.stat(base), 'NOT_FOUND');
    },
  },
  {
    name: 'remove-intermediate',
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeLayer(context, 'base', '', (root) => {
        writeFileSync(join(root, 'low'), 'low');
      });
      const middle = await makeLayer(context, 'middle', base, (root) => {
        writeFileSync(join(root, 'middle'), 'middle');
      });
      const sibling = await makeLayer(context, 'sibling', base);
      const top = await makeLayer(context, 'top', middle);
      await expectStatus(() => snapshots.remove(middle), 'FAILED_PRECONDITION');
      await snapshots.remove(top);
      await snapshots.remove(middle);
      await cleanUp(context);
      await expectStatus(() => snapshots.prepare(key('a'), middle), 'NOT_FOUND');
      await withView(context, sibling, (root) => {
        assert.deepEqual(readdirSync(root), ['low']);
        assert.equal(readFileSync(join(root, 'low'), 'utf8'), 'low');
      });
      // A name is free again when its snapshot is gone.
      await makeLayer(context, 'middle', base);
    },
  },
  {
    name: 'rebase-refused',
    lacks: [Capability.CAPABILITY_REBASE],
    asksDriverService: true,
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeLayer(context, 'base', '');
      await snapshots.prepare(key('a'));
      const commit = (): Promise<void> => snapshots.commit(key('c'), key('a'), {}, base);
      await expectStatus(commit, 'FAILED_PRECONDITION');
      await snapshots.commit(key('c'), key('a'));
    },
  },
  {
    name: 'rebase',
    needs: [Capability.CAPABILITY_REBASE],
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeLayer(context, 'base', '', (root) => {
        writeFileSync(join(root, 'low'), 'low');
      });
      const mounts = await snapshots.prepare(key('a'));
      await withMounted(context, mounts, (root) => writeFileSync(join(root, 'high'), 'high'));
      await expectStatus(() => snapshots.commit(key('c'), key('a'), {}, key('none')), 'NOT_FOUND');
      await snapshots.commit(key('c'), key('a'), {}, base);
      assert.equal((await snapshots.stat(key('c'))).parent, base);
      await withView(context, key('c'), (root) => {
        assert.equal(readFileSync(join(root, 'low'), 'utf8'), 'low');
        assert.equal(readFileSync(join(root, 'high'), 'utf8'), 'high');
      });
    },
  },
];
