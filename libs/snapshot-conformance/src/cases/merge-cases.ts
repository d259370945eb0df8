import { Capability, DriverServiceService, type Finding } from '@teu/proto/storage';
import { strict as assert } from 'node:assert';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  expectStatus,
  makeLayer,
  withMounted,
  withView,
  type CaseContext,
  type ConformanceCase,
} from '../conformance-case.js';
import { mountSnapshot, unmountSnapshot } from '../mount-snapshot.js';
import { keepsXattrs } from '../run-case.js';
import type { TreeLine, TreeOperation } from '../tree-operation.js';

const needs = [Capability.CAPABILITY_MERGE_INTO_PARENT];

/** Changing a committed snapshot in place. */
export const MERGE_CASES: readonly ConformanceCase[] = [
  {
    name: 'merge-into-parent',
    needs,
    asksDriverService: true,
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeBase(context);
      const top = await makeLayer(context, 'top', base, async (root) => {
        await context.tree.run(root, [{ do: 'write', path: 'changed', text: 'on top' }]);
      });
      const wanted = await edit(context, base);
      const usage = await snapshots.usage(base);
      const changed = await merge(context, 'edit', base);
      assert.ok(changed > 0, `${changed} names changed`);
      assert.deepEqual(await linesOf(context, base), wanted);
      assert.equal((await snapshots.stat(key('edit'))).parent, base);
      assert.ok((await snapshots.usage(base)).size > usage.size, 'its size is measured again');
      // What was written is in the parent now, and nothing of it in the snapshot.
      assert.ok((await snapshots.usage(key('edit'))).inodes < 6, 'the snapshot is empty');
      await withMounted(context, await snapshots.mounts(key('edit')), async (root) => {
        assert.deepEqual(await list(context, root), wanted);
      });
      await withView(context, top, (root) => {
        assert.equal(readFileSync(join(root, 'changed'), 'utf8'), 'on top');
        assert.equal(readFileSync(join(root, 'new'), 'utf8'), 'new');
        assert.ok(!existsSync(join(root, 'removed')));
      });
      assert.deepEqual(await findings(context, base), []);
    },
  },
  {
    name: 'merge-into-parent-mounted',
    needs,
    asksDriverService: true,
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeBase(context);
      const directory = join(context.work, 'elsewhere');
      await mountSnapshot(await snapshots.prepare(key('other'), base), directory);
      try {
        // Remembered by whoever remembers names.
        assert.equal(readFileSync(join(directory, 'changed'), 'utf8'), 'low');
        assert.ok(!existsSync(join(directory, 'new')));
        assert.deepEqual(readdirSync(join(directory, 'dir')).sort(), ['gone', 'stays']);
        await edit(context, base);
        await merge(context, 'edit', base);
        assert.equal(readFileSync(join(directory, 'changed'), 'utf8'), 'changed in place');
        assert.equal(readFileSync(join(directory, 'new'), 'utf8'), 'new');
        assert.ok(!existsSync(join(directory, 'removed')));
        assert.deepEqual(readdirSync(join(directory, 'dir')).sort(), ['added', 'stays']);
      } finally {
        await unmountSnapshot(directory);
      }
    },
  },
  {
    name: 'merge-into-middle',
    needs,
    asksDriverService: true,
    run: async (context) => {
      const base = await makeBase(context);
      const before = await linesOf(context, base);
      const middle = await makeLayer(context, 'middle', base, async (root) => {
        await context.tree.run(root, [
          { do: 'write', path: 'middle', text: 'middle' },
          { do: 'append', path: 'changed', text: ' and middle' },
        ]);
      });
      const wanted = await edit(context, middle);
      await merge(context, 'edit', middle);
      assert.deepEqual(await linesOf(context, middle), wanted);
      assert.deepEqual(await linesOf(context, base), before, 'what is below stays as it was');
    },
  },
  {
    name: 'merge-again',
    needs,
    asksDriverService: true,
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeBase(context);
      await edit(context, base);
      await merge(context, 'edit', base);
      const merged = await linesOf(context, base);
      assert.equal(await merge(context, 'edit', base), 0, 'there is nothing left to merge');
      assert.deepEqual(await linesOf(context, base), merged);
      // The snapshot is good for more.
      await withMounted(context, await snapshots.mounts(key('edit')), async (root) => {
        await context.tree.run(root, [{ do: 'write', path: 'changed', text: 'again' }]);
      });
      await merge(context, 'edit', base);
      await withView(context, base, (root) => {
        assert.equal(readFileSync(join(root, 'changed'), 'utf8'), 'again');
      });
      await snapshots.commit(key('c'), key('edit'));
      assert.equal((await snapshots.stat(key('c'))).parent, base);
    },
  },
  {
    name: 'merge-errors',
    needs,
    asksDriverService: true,
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeBase(context);
      const other = await makeLayer(context, 'other', '');
      await snapshots.prepare(key('a'), base);
      await snapshots.prepare(key('alone'));
      await snapshots.view(key('v'), base);
      await expectStatus(() => merge(context, 'none', base), 'NOT_FOUND');
      await expectStatus(() => merge(context, 'a', other), 'ABORTED');
      await expectStatus(() => merge(context, 'a', ''), 'INVALID_ARGUMENT');
      await expectStatus(() => merge(context, 'v', base), 'FAILED_PRECONDITION');
      await expectStatus(() => merge(context, 'base', base), 'FAILED_PRECONDITION');
      await expectStatus(() => merge(context, 'alone', base), 'FAILED_PRECONDITION');
    },
  },
  {
    name: 'merge-refused',
    lacks: needs,
    asksDriverService: true,
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeBase(context);
      await snapshots.prepare(key('a'), base);
      await expectStatus(() => merge(context, 'a', base), 'FAILED_PRECONDITION');
    },
  },
];

async function makeBase(context: CaseContext): Promise<string> {
  return await makeLayer(context, 'base', '', async (root) => {
    await context.tree.run(root, [
      { do: 'write', path: 'changed', text: 'low' },
      { do: 'write', path: 'removed', text: 'low' },
      { do: 'write', path: 'untouched', text: 'low' },
      { do: 'mkdir', path: 'dir', mode: 0o755 },
      { do: 'write', path: 'dir/gone', text: 'low' },
      { do: 'write', path: 'dir/stays', text: 'low' },
      { do: 'mkdir', path: 'replaced', mode: 0o755 },
      { do: 'write', path: 'replaced/low', text: 'low' },
      { do: 'write', path: 'becomes directory', text: 'low' },
      { do: 'mkdir', path: 'becomes file', mode: 0o755 },
      { do: 'write', path: 'becomes file/low', text: 'low' },
      { do: 'symlink', path: 'link', target: 'changed' },
    ]);
  });
}

const EDITS: readonly TreeOperation[] = [
  { do: 'write', path: 'changed', text: 'changed in place' },
  { do: 'chmod', path: 'changed', mode: 0o4755 },
  { do: 'write', path: 'new', text: 'new' },
  { do: 'link', path: 'new', to: 'new again' },
  { do: 'write', path: 'large', seed: 6, size: 1 << 20 },
  { do: 'unlink', path: 'removed' },
  { do: 'unlink', path: 'dir/gone' },
  { do: 'write', path: 'dir/added', text: 'added' },
  { do: 'chmod', path: 'dir', mode: 0o2750 },
  { do: 'chown', path: 'dir', uid: 5, gid: 6 },
  { do: 'remove', path: 'replaced' },
  { do: 'mkdir', path: 'replaced', mode: 0o711 },
  { do: 'write', path: 'replaced/high', text: 'high' },
  { do: 'unlink', path: 'becomes directory' },
  { do: 'mkdir', path: 'becomes directory', mode: 0o755 },
  { do: 'write', path: 'becomes directory/high', text: 'high' },
  { do: 'remove', path: 'becomes file' },
  { do: 'write', path: 'becomes file', text: 'high' },
  { do: 'unlink', path: 'link' },
  { do: 'symlink', path: 'link', target: 'new' },
  { do: 'node', path: 'pipe', type: 'fifo', mode: 0o600 },
];

/** Makes an active snapshot "edit" and changes it. Gives what is to be found in its parent in the end. */
async function edit(context: CaseContext, parent: string): Promise<TreeLine[]> {
  const mounts = await context.snapshots.prepare(context.key('edit'), parent);
  return await withMounted(context, mounts, async (root) => {
    await context.tree.run(root, EDITS);
    if (keepsXattrs(context.traits)) {
      await context.tree.run(root, [
        { do: 'set-xattr', path: 'untouched', name: 'user.mark', value: '01' },
        { do: 'set-xattr', path: 'dir', name: 'trusted.mark', value: '02' },
      ]);
    }
    return await list(context, root);
  });
}

async function merge(
  { channel, key }: CaseContext,
  name: string,
  expectedParent: string,
): Promise<number> {
  const request = { key: key(name), expectedParent };
  return (await channel.unary(DriverServiceService.mergeIntoParent, request)).changedCount;
}

function list(context: CaseContext, root: string): Promise<TreeLine[]> {
  return context.tree.list(root, { xattrs: keepsXattrs(context.traits) });
}

async function linesOf(context: CaseContext, name: string): Promise<TreeLine[]> {
  return await withView(context, name, (root) => list(context, root));
}

/** What a check finds wrong, for a driver that can check. */
async function findings({ channel, traits }: CaseContext, key: string): Promise<Finding[]> {
  const found: Finding[] = [];
  if (!traits.capabilities.has(Capability.CAPABILITY_CHECK)) return found;
  for (let round = 0; round < 2; round += 1) {
    const { checkSnapshots } = DriverServiceService;
    for await (const { part } of channel.serverStream(checkSnapshots, { key, readData: true })) {
      if (part?.$case === 'finding') found.push(part.value);
    }
  }
  return found;
}
