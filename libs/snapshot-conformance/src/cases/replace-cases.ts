import { Kind } from '@teu/proto/snapshots';
import { Capability, DriverServiceService, type Finding } from '@teu/proto/storage';
import { strict as assert } from 'node:assert';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  cleanUp,
  expectStatus,
  makeLayer,
  withMounted,
  withView,
  type CaseContext,
  type ConformanceCase,
} from '../conformance-case.js';
import { mountSnapshot, unmountSnapshot } from '../mount-snapshot.js';

const needs = [Capability.CAPABILITY_REPLACE];

/** Putting a snapshot in the place of a committed one. */
export const REPLACE_CASES: readonly ConformanceCase[] = [
  {
    name: 'replace-snapshot',
    needs,
    asksDriverService: true,
    run: async (context) => {
      const { snapshots, key } = context;
      const { base, middle, top } = await makeStack(context);
      await snapshots.update(middle, { mark: 'kept' });
      await snapshots.prepare(key('container'), top);
      await withMounted(context, await snapshots.mounts(key('container')), async (root) => {
        await context.tree.run(root, [{ do: 'write', path: 'own', text: 'own' }]);
      });
      await prepareAnew(context, base);
      await replace(context, 'anew', middle);
      await expectStatus(() => snapshots.stat(key('anew')), 'NOT_FOUND');
      const info = await snapshots.stat(middle);
      assert.deepEqual(
        [info.kind, info.parent, info.labels['mark']],
        [Kind.COMMITTED, base, 'kept'],
      );
      assert.equal((await snapshots.stat(top)).parent, middle);
      for (const name of [middle, top]) {
        await withView(context, name, (root) => expectAnew(root, name === top));
        assert.deepEqual(await findings(context, name), []);
      }
      await withMounted(context, await snapshots.mounts(key('container')), (root) => {
        expectAnew(root, true);
        assert.equal(readFileSync(join(root, 'own'), 'utf8'), 'own');
      });
      assert.deepEqual(await findings(context, base), []);
    },
  },
  {
    name: 'replace-mounted',
    needs,
    asksDriverService: true,
    run: async (context) => {
      const { snapshots, key } = context;
      const { base, middle, top } = await makeStack(context);
      const directory = join(context.work, 'elsewhere');
      await mountSnapshot(await snapshots.prepare(key('container'), top), directory);
      try {
        await prepareAnew(context, base);
        await replace(context, 'anew', middle);
        await cleanUp(context);
        // The old one or the new one, and never nothing.
        assert.match(readFileSync(join(directory, 'changed'), 'utf8'), /^(middle|anew)$/);
        assert.equal(readFileSync(join(directory, 'top'), 'utf8'), 'top');
        await context.tree.run(directory, [{ do: 'write', path: 'own', text: 'own' }]);
      } finally {
        await unmountSnapshot(directory);
      }
      await withMounted(context, await snapshots.mounts(key('container')), (root) => {
        expectAnew(root, true);
        assert.equal(readFileSync(join(root, 'own'), 'utf8'), 'own');
      });
      await snapshots.remove(key('container'));
      await cleanUp(context);
    },
  },
  {
    name: 'replace-again',
    needs,
    asksDriverService: true,
    run: async (context) => {
      const { snapshots, key } = context;
      const base = await makeLayer(context, 'base', '');
      for (const text of ['first', 'second']) {
        const mounts = await snapshots.prepare(key('anew'));
        await withMounted(context, mounts, async (root) => {
          await context.tree.run(root, [{ do: 'write', path: 'file', text }]);
        });
        await replace(context, 'anew', base);
        await withView(context, base, (root) => {
          assert.equal(readFileSync(join(root, 'file'), 'utf8'), text);
        });
      }
      await snapshots.remove(base);
      await cleanUp(context);
      await expectStatus(() => snapshots.stat(base), 'NOT_FOUND');
    },
  },
  {
    name: 'replace-errors',
    needs,
    asksDriverService: true,
    run: async (context) => {
      const { snapshots, key } = context;
      const { base, middle } = await makeStack(context);
      await snapshots.prepare(key('a'), base);
      await snapshots.prepare(key('alone'));
      await snapshots.view(key('v'), base);
      await expectStatus(() => replace(context, 'none', middle), 'NOT_FOUND');
      await expectStatus(() => replace(context, 'a', key('none')), 'NOT_FOUND');
      await expectStatus(() => replace(context, 'a', ''), 'INVALID_ARGUMENT');
      await expectStatus(() => replace(context, 'alone', middle), 'ABORTED');
      await expectStatus(() => replace(context, 'v', middle), 'FAILED_PRECONDITION');
      await expectStatus(() => replace(context, 'a', key('alone')), 'FAILED_PRECONDITION');
      await expectStatus(() => replace(context, 'base', middle), 'FAILED_PRECONDITION');
      assert.equal((await snapshots.stat(key('a'))).kind, Kind.ACTIVE, 'nothing was changed');
    },
  },
  {
    name: 'replace-refused',
    lacks: needs,
    asksDriverService: true,
    run: async (context) => {
      const base = await makeLayer(context, 'base', '');
      await context.snapshots.prepare(context.key('a'));
      await expectStatus(() => replace(context, 'a', base), 'FAILED_PRECONDITION');
    },
  },
];

/** Three layers, each with a file of its own; the middle one is to be replaced. */
async function makeStack(
  context: CaseContext,
): Promise<{ base: string; middle: string; top: string }> {
  const { tree } = context;
  const base = await makeLayer(context, 'base', '', async (root) => {
    await tree.run(root, [{ do: 'write', path: 'base', text: 'base' }]);
  });
  const middle = await makeLayer(context, 'middle', base, async (root) => {
    await tree.run(root, [
      { do: 'write', path: 'changed', text: 'middle' },
      { do: 'write', path: 'stray', text: 'middle' },
    ]);
  });
  const top = await makeLayer(context, 'top', middle, async (root) => {
    await tree.run(root, [{ do: 'write', path: 'top', text: 'top' }]);
  });
  return { base, middle, top };
}

async function prepareAnew(context: CaseContext, base: string): Promise<void> {
  const mounts = await context.snapshots.prepare(context.key('anew'), base);
  await withMounted(context, mounts, async (root) => {
    await context.tree.run(root, [
      { do: 'write', path: 'changed', text: 'anew' },
      { do: 'write', path: 'added', text: 'anew' },
    ]);
  });
}

function expectAnew(root: string, hasTop: boolean): void {
  assert.equal(readFileSync(join(root, 'changed'), 'utf8'), 'anew');
  assert.equal(readFileSync(join(root, 'added'), 'utf8'), 'anew');
  assert.equal(readFileSync(join(root, 'base'), 'utf8'), 'base');
  assert.deepEqual(
    [existsSync(join(root, 'stray')), existsSync(join(root, 'top'))],
    [false, hasTop],
  );
}

async function replace({ channel, key }: CaseContext, active: string, name: string): Promise<void> {
  await channel.unary(DriverServiceService.replaceSnapshot, { key: key(active), name });
}

/** What a check finds wrong, for a driver that can check; the first one makes the manifest. */
async function findings({ channel, traits }: CaseContext, key: string): Promise<Finding[]> {
  const found: Finding[] = [];
  if (!traits.capabilities.has(Capability.CAPABILITY_CHECK)) return found;
  const { checkSnapshots } = DriverServiceService;
  for (let round = 0; round < 2; round += 1) {
    for await (const { part } of channel.serverStream(checkSnapshots, { key, readData: true })) {
      if (part?.$case === 'finding') found.push(part.value);
    }
  }
  return found;
}
