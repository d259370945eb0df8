import { Capability, DriverServiceService } from '@teu/proto/storage';
import { strict as assert } from 'node:assert';
import { makeLayer, withMounted, type ConformanceCase } from '../conformance-case.js';

const MEGABYTE = 1 << 20;

/** How much is used, by what, and that it is given back. */
export const USAGE_CASES: readonly ConformanceCase[] = [
  {
    name: 'usage',
    run: async (context) => {
      const { snapshots, key, tree } = context;
      const base = await makeLayer(context, 'base', '', async (root) => {
        await tree.run(root, [
          { do: 'write', path: 'a', seed: 1, size: MEGABYTE },
          { do: 'link', path: 'a', to: 'a again' },
        ]);
      });
      const { size, inodes } = await snapshots.usage(base);
      expectAbout(size, MEGABYTE);
      assert.equal(inodes, 2, 'the root, and one file of two names');
      const mounts = await snapshots.prepare(key('a'), base);
      const before = await snapshots.usage(key('a'));
      await withMounted(context, mounts, async (root) => {
        await tree.run(root, [{ do: 'write', path: 'b', seed: 2, size: 2 * MEGABYTE }]);
      });
      const after = await snapshots.usage(key('a'));
      expectAbout(after.size - before.size, 2 * MEGABYTE);
      await snapshots.commit(key('c'), key('a'));
      expectAbout((await snapshots.usage(key('c'))).size, after.size);
    },
  },
  {
    name: 'usage-without-parents',
    needs: [Capability.CAPABILITY_SHARED_DISK],
    run: async (context) => {
      const { snapshots, key, tree } = context;
      const base = await makeLayer(context, 'base', '', async (root) => {
        await tree.run(root, [{ do: 'write', path: 'a', seed: 1, size: 8 * MEGABYTE }]);
      });
      await snapshots.prepare(key('a'), base);
      await snapshots.view(key('v'), base);
      for (const name of ['a', 'v']) {
        const { size } = await snapshots.usage(key(name));
        assert.ok(size < MEGABYTE, `${name} uses ${size} bytes`);
      }
    },
  },
  {
    name: 'shared-disk',
    needs: [Capability.CAPABILITY_SHARED_DISK],
    asksDriverService: true,
    run: async (context) => {
      const { channel, snapshots, key, tree } = context;
      const base = await makeLayer(context, 'base', '', async (root) => {
        await tree.run(root, [{ do: 'write', path: 'a', seed: 3, size: 8 * MEGABYTE }]);
      });
      const before = await channel.unary(DriverServiceService.getDiskUsage, {});
      for (let index = 0; index < 10; index += 1) await snapshots.prepare(key(`${index}`), base);
      const after = await channel.unary(DriverServiceService.getDiskUsage, {});
      assert.equal(after.snapshotCount - before.snapshotCount, 10);
      const added = after.totalBytes - before.totalBytes;
      assert.ok(added < 4 * MEGABYTE, `ten containers of 8 MiB took ${added} bytes`);
    },
  },
  {
    name: 'shared-page-cache',
    needs: [Capability.CAPABILITY_SHARED_PAGE_CACHE],
    run: async (context) => {
      const { snapshots, key, tree } = context;
      const base = await makeLayer(context, 'base', '', async (root) => {
        await tree.run(root, [{ do: 'write', path: 'a', seed: 4, size: MEGABYTE }]);
      });
      const one = await snapshots.prepare(key('one'), base);
      await withMounted(context, one, (root) => tree.run(root, [{ do: 'read', path: 'a' }]));
      const two = await snapshots.prepare(key('two'), base);
      const [resident] = await withMounted(context, two, (root) =>
        tree.run(root, [{ do: 'resident', path: 'a' }]),
      );
      assert.equal(resident, MEGABYTE, 'bytes in memory before the second one has read any');
    },
  },
  {
    name: 'disk-usage-adds-up',
    asksDriverService: true,
    run: async (context) => {
      const { channel, snapshots, key, tree } = context;
      const { getDiskUsage } = DriverServiceService;
      await makeLayer(context, 'base', '', async (root) => {
        await tree.run(root, [{ do: 'write', path: 'a', seed: 5, size: MEGABYTE }]);
      });
      await snapshots.prepare(key('a'), key('base'));
      await snapshots.view(key('v'), key('base'));
      const usage = await channel.unary(getDiskUsage, {});
      const { committedBytes, activeBytes, removingBytes, metadataBytes } = usage;
      const sum = committedBytes + activeBytes + removingBytes + metadataBytes;
      assert.equal(sum, usage.totalBytes);
      assert.ok(committedBytes >= MEGABYTE, `committed ${committedBytes}`);
      assert.equal(usage.snapshotCount, (await snapshots.list()).length);
      assert.ok(usage.availableBytes > 0);
    },
  },
  {
    name: 'cleanup-frees',
    asksDriverService: true,
    run: async (context) => {
      const { channel, snapshots, key, tree } = context;
      const { getDiskUsage } = DriverServiceService;
      const mounts = await snapshots.prepare(key('a'));
      await withMounted(context, mounts, async (root) => {
        await tree.run(root, [{ do: 'fill', path: 'a', size: 8 * MEGABYTE }]);
      });
      const before = await channel.unary(getDiskUsage, {});
      await snapshots.remove(key('a'));
      await snapshots.cleanup();
      const after = await channel.unary(getDiskUsage, {});
      assert.equal(after.removingBytes, 0);
      assert.equal(before.snapshotCount - after.snapshotCount, 1);
      const freed = before.totalBytes - after.totalBytes;
      assert.ok(freed >= 7 * MEGABYTE, `${freed} bytes were freed`);
    },
  },
];

/** File systems round up, and count blocks that say where blocks are. */
function expectAbout(bytes: number, wanted: number): void {
  const isAbout = bytes >= wanted && bytes < wanted * 1.1 + MEGABYTE / 8;
  assert.ok(isAbout, `${bytes} bytes instead of about ${wanted}`);
}
