import { Capability, DriverServiceService } from '@teu/proto/storage';
import { strict as assert } from 'node:assert';
import { expectStatus, makeLayer, withMounted, type ConformanceCase } from '../conformance-case.js';
import type { FillOutcome } from '../tree-operation.js';

const MEGABYTE = 1 << 20;
const LIMIT = 8 * MEGABYTE;
/** Label by which Prepare is asked for a limit (containerd 2, core/snapshots). */
const SIZE_LABEL = 'containerd.io/snapshot/max-size';
/** Some file systems notice late; what comes through before they do is bounded all the same. */
const LATE = 16 * MEGABYTE;

/** Limits of the size of an active snapshot. */
export const QUOTA_CASES: readonly ConformanceCase[] = [
  {
    name: 'quota-by-label',
    needs: [Capability.CAPABILITY_QUOTA],
    run: async (context) => {
      const { snapshots, key, tree } = context;
      const base = await makeLayer(context, 'base', '', async (root) => {
        await tree.run(root, [{ do: 'fill', path: 'low', size: 2 * LIMIT }]);
      });
      const labels = { [SIZE_LABEL]: String(LIMIT) };
      const mounts = await snapshots.prepare(key('a'), base, labels);
      await withMounted(context, mounts, async (root) => {
        // What lies in the parents does not count.
        expectFilled(await tree.run(root, [{ do: 'fill', path: 'fits', size: LIMIT / 2 }]));
        expectRefused(await tree.run(root, [{ do: 'fill', path: 'more', size: 8 * LIMIT }]));
        await tree.run(root, [{ do: 'unlink', path: 'more' }]);
      });
      await expectStatus(
        () => snapshots.prepare(key('b'), base, { [SIZE_LABEL]: 'much' }),
        'INVALID_ARGUMENT',
      );
    },
  },
  {
    name: 'quota-refused',
    lacks: [Capability.CAPABILITY_QUOTA],
    asksDriverService: true,
    run: async ({ channel, snapshots, key }) => {
      const { getQuota, setQuota } = DriverServiceService;
      const labels = { [SIZE_LABEL]: String(LIMIT) };
      await expectStatus(() => snapshots.prepare(key('a'), '', labels), 'FAILED_PRECONDITION');
      await expectStatus(() => snapshots.stat(key('a')), 'NOT_FOUND');
      await snapshots.prepare(key('a'));
      const request = { key: key('a'), limitBytes: LIMIT };
      await expectStatus(() => channel.unary(setQuota, request), 'FAILED_PRECONDITION');
      await expectStatus(() => channel.unary(getQuota, request), 'FAILED_PRECONDITION');
    },
  },
  {
    name: 'quota-changes',
    needs: [Capability.CAPABILITY_QUOTA],
    asksDriverService: true,
    run: async (context) => {
      const { channel, snapshots, tree } = context;
      const { getQuota, setQuota } = DriverServiceService;
      const key = context.key('a');
      const mounts = await snapshots.prepare(key);
      assert.equal((await channel.unary(getQuota, { key })).limitBytes, 0);
      await channel.unary(setQuota, { key, limitBytes: LIMIT });
      await withMounted(context, mounts, async (root) => {
        expectRefused(await tree.run(root, [{ do: 'fill', path: 'a', size: 8 * LIMIT }]));
        const { limitBytes, usedBytes } = await channel.unary(getQuota, { key });
        assert.equal(limitBytes, LIMIT);
        assert.ok(usedBytes > LIMIT / 2 && usedBytes < LIMIT + LATE, `used ${usedBytes}`);
        await channel.unary(setQuota, { key, limitBytes: 0 });
        expectFilled(await tree.run(root, [{ do: 'fill', path: 'b', size: 2 * LIMIT }]));
      });
      assert.equal((await channel.unary(getQuota, { key })).limitBytes, 0);
    },
  },
  {
    name: 'quota-errors',
    needs: [Capability.CAPABILITY_QUOTA],
    asksDriverService: true,
    run: async (context) => {
      const { channel, key } = context;
      const { getQuota, setQuota } = DriverServiceService;
      const base = await makeLayer(context, 'base', '');
      const set = (name: string, limitBytes: number): Promise<unknown> =>
        channel.unary(setQuota, { key: name, limitBytes });
      await expectStatus(() => set(key('none'), LIMIT), 'NOT_FOUND');
      await expectStatus(() => channel.unary(getQuota, { key: key('none') }), 'NOT_FOUND');
      await expectStatus(() => set(base, LIMIT), 'FAILED_PRECONDITION');
      await context.snapshots.prepare(key('a'), base);
      await expectStatus(() => set(key('a'), -1), 'INVALID_ARGUMENT');
    },
  },
];

function expectFilled([outcome]: unknown[]): void {
  assert.equal((outcome as FillOutcome).error, '');
}

function expectRefused([outcome]: unknown[]): void {
  const { written, error } = outcome as FillOutcome;
  assert.ok(error === 'EDQUOT' || error === 'ENOSPC', `"${error}" after ${written} bytes`);
  assert.ok(written <= LIMIT + LATE, `${written} bytes came through`);
}
