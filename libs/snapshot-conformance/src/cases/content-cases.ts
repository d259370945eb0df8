import { strict as assert } from 'node:assert';
import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { makeLayer, withMounted, withView, type ConformanceCase } from '../conformance-case.js';

const MODE_BITS = 0o7777;

/** What becomes of files: a stack of layers must look like one tree that was changed step by step. */
export const CONTENT_CASES: readonly ConformanceCase[] = [
  {
    name: 'layer-file-update',
    run: async (context) => {
      const base = await makeLayer(context, 'base', '', (root) => {
        mkdirSync(join(root, 'etc'));
        writeFileSync(join(root, 'etc/hosts'), 'old');
      });
      const top = await makeLayer(context, 'top', base, (root) => {
        writeFileSync(join(root, 'etc/hosts'), 'new');
      });
      const hosts = (root: string): string => readFileSync(join(root, 'etc/hosts'), 'utf8');
      assert.equal(await withView(context, top, hosts), 'new');
      assert.equal(await withView(context, base, hosts), 'old');
    },
  },
  {
    name: 'deleted-files-in-child',
    run: async (context) => {
      const base = await makeLayer(context, 'base', '', (root) => {
        for (const name of ['a', 'b']) writeFileSync(join(root, name), name);
      });
      const middle = await makeLayer(context, 'middle', base, (root) => rmSync(join(root, 'a')));
      const top = await makeLayer(context, 'top', middle, (root) => {
        writeFileSync(join(root, 'a'), 'again');
        rmSync(join(root, 'b'));
      });
      assert.deepEqual(await withView(context, base, (root) => readdirSync(root)), ['a', 'b']);
      assert.deepEqual(await withView(context, middle, (root) => readdirSync(root)), ['b']);
      assert.deepEqual(await withView(context, top, (root) => readdirSync(root)), ['a']);
    },
  },
  {
    name: 'remove-directory-in-lower-layer',
    run: async (context) => {
      const base = await makeLayer(context, 'base', '', (root) => {
        mkdirSync(join(root, 'dir/sub'), { recursive: true });
        writeFileSync(join(root, 'dir/sub/file'), 'low');
      });
      const top = await makeLayer(context, 'top', base, (root) => {
        rmSync(join(root, 'dir'), { recursive: true });
        mkdirSync(join(root, 'dir'));
        writeFileSync(join(root, 'dir/only'), 'high');
      });
      // The new directory is opaque: what the old one held does not shine through.
      const names = await withView(context, top, (root) => readdirSync(join(root, 'dir')));
      assert.deepEqual(names, ['only']);
    },
  },
  {
    name: 'move-file-from-lower-layer',
    run: async (context) => {
      const base = await makeLayer(context, 'base', '', (root) => {
        mkdirSync(join(root, 'dir'));
        writeFileSync(join(root, 'dir/file'), 'moved');
      });
      const top = await makeLayer(context, 'top', base, (root) => {
        renameSync(join(root, 'dir/file'), join(root, 'file'));
      });
      await withView(context, top, (root) => {
        assert.equal(readFileSync(join(root, 'file'), 'utf8'), 'moved');
        assert.deepEqual(readdirSync(join(root, 'dir')), []);
      });
    },
  },
  {
    name: 'chown-and-directory-permissions',
    run: async (context) => {
      const base = await makeLayer(context, 'base', '', (root) => {
        mkdirSync(join(root, 'opt'));
        chmodSync(join(root, 'opt'), 0o700);
        writeFileSync(join(root, 'opt/file'), 'x');
        chownSync(join(root, 'opt/file'), 1, 2);
      });
      const top = await makeLayer(context, 'top', base, (root) => {
        chownSync(join(root, 'opt'), 3, 4);
        chmodSync(join(root, 'opt'), 0o2755);
      });
      await withView(context, top, (root) => {
        const { mode, uid, gid } = statSync(join(root, 'opt'));
        assert.deepEqual([mode & MODE_BITS, uid, gid], [0o2755, 3, 4]);
        const file = statSync(join(root, 'opt/file'));
        assert.deepEqual([file.uid, file.gid], [1, 2]);
      });
    },
  },
  {
    name: 'root-permissions',
    run: async (context) => {
      const mode = (root: string): number => statSync(root).mode & MODE_BITS;
      const base = await makeLayer(context, 'base', '', (root) => {
        assert.equal(mode(root), 0o755);
        chmodSync(root, 0o711);
        chownSync(root, 5, 6);
      });
      const top = await makeLayer(context, 'top', base);
      await withView(context, top, (root) => {
        assert.equal(mode(root), 0o711);
        assert.deepEqual([statSync(root).uid, statSync(root).gid], [5, 6]);
      });
    },
  },
  {
    name: 'view-is-read-only',
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeLayer(context, 'base', '', (root) =>
        writeFileSync(join(root, 'a'), 'a'),
      );
      const top = await makeLayer(context, 'top', base);
      for (const [index, parent] of [base, top, ''].entries()) {
        const mounts = await snapshots.view(key(`view ${index}`), parent);
        await withMounted(context, mounts, (root) => {
          assert.throws(() => writeFileSync(join(root, 'b'), 'b'), { code: 'EROFS' });
        });
      }
    },
  },
  {
    name: 'siblings-are-apart',
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeLayer(context, 'base', '', (root) =>
        writeFileSync(join(root, 'a'), 'a'),
      );
      const one = await snapshots.prepare(key('one'), base);
      const two = await snapshots.prepare(key('two'), base);
      await withMounted(context, one, (root) => writeFileSync(join(root, 'a'), 'one'));
      await withMounted(context, two, (root) => {
        assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'a');
        writeFileSync(join(root, 'b'), 'two');
      });
      await withMounted(context, await snapshots.mounts(key('one')), (root) => {
        assert.equal(readFileSync(join(root, 'a'), 'utf8'), 'one');
        assert.equal(existsSync(join(root, 'b')), false);
      });
    },
  },
];
