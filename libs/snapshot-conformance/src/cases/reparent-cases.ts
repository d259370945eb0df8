import { Capability, DriverServiceService } from '@teu/proto/storage';
import { strict as assert } from 'node:assert';
import {
  closeSync,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import {
  expectStatus,
  makeLayer,
  withMounted,
  withView,
  type CaseContext,
  type ConformanceCase,
} from '../conformance-case.js';
import type { TreeOperation } from '../tree-operation.js';

const { CAPABILITY_LIVE_REPARENT, CAPABILITY_REPARENT } = Capability;

/** Putting a snapshot on another parent. */
export const REPARENT_CASES: readonly ConformanceCase[] = [
  {
    name: 'set-parent',
    needs: [CAPABILITY_REPARENT],
    asksDriverService: true,
    run: async (context) => {
      const { snapshots, key } = context;
      const [before, after] = await makeBases(context);
      await change(context, await snapshots.prepare(key('a'), before), OWN_CHANGES);
      await setParent(context, 'a', after, before);
      assert.equal((await snapshots.stat(key('a'))).parent, after);
      await withMounted(context, await snapshots.mounts(key('a')), expectOnNewBase);
      // What it stands on stays as it was, and so does what stands on that.
      await withView(context, before, (root) => {
        assert.equal(read(root, 'version'), 'one');
        assert.equal(read(root, 'removed'), 'one');
      });
      await snapshots.commit(key('c'), key('a'));
      await withView(context, key('c'), expectOnNewBase);
      await snapshots.remove(key('c'));
      await snapshots.remove(after);
    },
  },
  {
    name: 'set-parent-to-and-fro',
    needs: [CAPABILITY_REPARENT],
    asksDriverService: true,
    run: async (context) => {
      const { snapshots, key } = context;
      const [before, after] = await makeBases(context);
      const deeper = await makeLayer(context, 'deeper', after, (root) => {
        writeFileSync(join(root, 'version'), 'three');
      });
      await change(context, await snapshots.prepare(key('a'), before), OWN_CHANGES);
      for (const [parent, version] of [
        [deeper, 'three'],
        [before, 'one'],
        [after, 'two'],
        [before, 'one'],
      ] as const) {
        await setParent(context, 'a', parent);
        await withMounted(context, await snapshots.mounts(key('a')), (root) => {
          assert.equal(read(root, 'version'), version);
          assert.equal(read(root, 'written'), 'own');
          assert.ok(!existsSync(join(root, 'removed')), 'what was removed stays removed');
        });
      }
    },
  },
  {
    name: 'set-parent-again',
    needs: [CAPABILITY_REPARENT],
    asksDriverService: true,
    run: async (context) => {
      const { snapshots, key } = context;
      const [before, after] = await makeBases(context);
      await snapshots.prepare(key('a'), before);
      await setParent(context, 'a', after, before);
      // Whoever got no answer asks again, and it has happened already.
      await setParent(context, 'a', after, before);
      const third = await makeLayer(context, 'third', '');
      await expectStatus(() => setParent(context, 'a', third, before), 'ABORTED');
      assert.equal((await snapshots.stat(key('a'))).parent, after);
      // It keeps its parent, and no other.
      await snapshots.remove(before);
      await expectStatus(() => snapshots.remove(after), 'FAILED_PRECONDITION');
    },
  },
  {
    name: 'set-parent-errors',
    needs: [CAPABILITY_REPARENT],
    asksDriverService: true,
    run: async (context) => {
      const { snapshots, key } = context;
      const [before, after] = await makeBases(context);
      await snapshots.prepare(key('a'), before);
      await snapshots.prepare(key('other'), before);
      await snapshots.view(key('v'), before);
      await expectStatus(() => setParent(context, 'none', after), 'NOT_FOUND');
      await expectStatus(() => setParent(context, 'a', key('none')), 'NOT_FOUND');
      await expectStatus(() => setParent(context, 'a', key('other')), 'INVALID_ARGUMENT');
      await expectStatus(() => setParent(context, 'a', ''), 'INVALID_ARGUMENT');
      await expectStatus(() => setParent(context, 'v', after), 'FAILED_PRECONDITION');
      await expectStatus(() => setParent(context, 'before', after), 'FAILED_PRECONDITION');
      assert.equal((await snapshots.stat(key('a'))).parent, before);
    },
  },
  {
    name: 'set-parent-refused',
    lacks: [CAPABILITY_REPARENT],
    asksDriverService: true,
    run: async (context) => {
      const { snapshots, key } = context;
      const [before, after] = await makeBases(context);
      await snapshots.prepare(key('a'), before);
      await expectStatus(() => setParent(context, 'a', after, before), 'FAILED_PRECONDITION');
      assert.equal((await snapshots.stat(key('a'))).parent, before);
    },
  },
  {
    name: 'set-parent-live',
    needs: [CAPABILITY_REPARENT, CAPABILITY_LIVE_REPARENT],
    asksDriverService: true,
    run: async (context) => {
      const { snapshots, key } = context;
      const [before, after] = await makeBases(context);
      await withMounted(context, await snapshots.prepare(key('a'), before), async (root) => {
        await context.tree.run(root, OWN_CHANGES);
        lookAtOldBase(root);
        const open = openSync(join(root, 'version'), 'r');
        try {
          assert.equal(await setParent(context, 'a', after, before), true, 'is_live');
          expectOnNewBase(root);
          assert.equal(readOpen(open), 'one', 'what is open stays what it was');
          assert.equal(await setParent(context, 'a', before), true, 'is_live');
          lookAtOldBase(root);
          await setParent(context, 'a', after);
          writeFileSync(join(root, 'kept/new'), 'mine');
        } finally {
          closeSync(open);
        }
      });
      await withMounted(context, await snapshots.mounts(key('a')), (root) => {
        assert.equal(read(root, 'kept/new'), 'mine');
      });
      await withView(context, after, (root) => assert.equal(read(root, 'kept/new'), 'new'));
    },
  },
];

/** Made on the first base. */
const OWN_CHANGES: readonly TreeOperation[] = [
  { do: 'write', path: 'written', text: 'own' },
  { do: 'write', path: 'changed', text: 'own' },
  { do: 'unlink', path: 'removed' },
  { do: 'remove', path: 'replaced' },
  { do: 'mkdir', path: 'replaced', mode: 0o700 },
  { do: 'write', path: 'replaced/own', text: 'own' },
  { do: 'write', path: 'kept/own', text: 'own' },
];

/** Two bases that have nothing in common but names. */
async function makeBases(context: CaseContext): Promise<[before: string, after: string]> {
  const base = (version: string, own: readonly TreeOperation[]): TreeOperation[] => [
    { do: 'write', path: 'version', text: version },
    { do: 'write', path: 'changed', text: version },
    { do: 'write', path: 'removed', text: version },
    { do: 'mkdir', path: 'replaced', mode: 0o755 },
    { do: 'write', path: 'replaced/low', text: version },
    { do: 'mkdir', path: 'kept', mode: 0o755 },
    ...own,
  ];
  const make = (name: string, operations: readonly TreeOperation[]): Promise<string> =>
    makeLayer(context, name, '', async (root) => {
      await context.tree.run(root, operations);
    });
  return [
    await make('before', base('one', [{ do: 'write', path: 'kept/old', text: 'old' }])),
    await make(
      'after',
      base('two', [
        { do: 'write', path: 'kept/new', text: 'new' },
        { do: 'mkdir', path: 'lib', mode: 0o755 },
        { do: 'write', path: 'lib/fresh', text: 'fresh' },
      ]),
    ),
  ];
}

/** Also has everybody remember what is there and what is not. */
function lookAtOldBase(root: string): void {
  assert.equal(read(root, 'version'), 'one');
  assert.deepEqual(readdirSync(join(root, 'kept')).sort(), ['old', 'own']);
  assert.ok(!existsSync(join(root, 'lib')));
  assert.ok(!existsSync(join(root, 'kept/new')));
  assert.equal(statSync(join(root, 'kept/old')).size, 3);
}

function expectOnNewBase(root: string): void {
  assert.equal(read(root, 'version'), 'two');
  assert.equal(read(root, 'written'), 'own');
  assert.equal(read(root, 'changed'), 'own');
  assert.ok(!existsSync(join(root, 'removed')), 'what was removed stays removed');
  assert.deepEqual(readdirSync(join(root, 'replaced')), ['own']);
  assert.deepEqual(readdirSync(join(root, 'kept')).sort(), ['new', 'own']);
  assert.ok(!existsSync(join(root, 'kept/old')), 'what only the old parent had is gone');
  assert.equal(read(root, 'lib/fresh'), 'fresh');
}

async function change(
  context: CaseContext,
  mounts: Awaited<ReturnType<CaseContext['snapshots']['mounts']>>,
  operations: readonly TreeOperation[],
): Promise<void> {
  await withMounted(context, mounts, (root) => context.tree.run(root, operations));
}

async function setParent(
  { channel, key }: CaseContext,
  name: string,
  parent: string,
  expectedParent = '',
): Promise<boolean> {
  const request = { key: key(name), parent, expectedParent };
  return (await channel.unary(DriverServiceService.setParent, request)).isLive;
}

function read(root: string, path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

function readOpen(descriptor: number): string {
  const bytes = Buffer.alloc(16);
  return bytes.toString('utf8', 0, readSync(descriptor, bytes, 0, bytes.length, 0));
}
