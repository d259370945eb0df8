import {
  Capability,
  DriverServiceService,
  type CheckSummary,
  type Finding,
} from '@teu/proto/storage';
import { strict as assert } from 'node:assert';
import {
  expectStatus,
  makeLayer,
  type CaseContext,
  type ConformanceCase,
} from '../conformance-case.js';

/** That a driver finds nothing where nothing is wrong; damage is planted by its own tests. */
export const CHECK_CASES: readonly ConformanceCase[] = [
  {
    name: 'check-finds-nothing-wrong',
    needs: [Capability.CAPABILITY_CHECK],
    asksDriverService: true,
    run: async (context) => {
      const base = await makeLayer(context, 'base', '', async (root) => {
        await context.tree.run(root, [
          { do: 'mkdir', path: 'dir', mode: 0o1777 },
          { do: 'write', path: 'dir/file', seed: 1, size: 100_000 },
          { do: 'link', path: 'dir/file', to: 'link' },
          { do: 'symlink', path: 'dir/soft', target: 'file' },
          { do: 'node', path: 'pipe', type: 'fifo', mode: 0o600 },
        ]);
      });
      const top = await makeLayer(context, 'top', base, async (root) => {
        await context.tree.run(root, [
          { do: 'remove', path: 'dir' },
          { do: 'write', path: 'new', seed: 2, size: 1000 },
        ]);
      });
      await context.snapshots.prepare(context.key('a'), top);
      for (const readData of [false, true]) {
        for (const key of [base, top]) {
          const { findings, summary } = await check(context, key, readData);
          assert.deepEqual(findings, []);
          assert.equal(summary?.snapshotCount, 1);
          assert.equal(summary.findingCount, 0);
        }
      }
    },
  },
  {
    name: 'check-of-unknown-snapshots',
    needs: [Capability.CAPABILITY_CHECK],
    asksDriverService: true,
    run: async (context) => {
      await expectStatus(() => check(context, context.key('none'), false), 'NOT_FOUND');
    },
  },
];

async function check(
  { channel }: CaseContext,
  key: string,
  readData: boolean,
): Promise<{ findings: Finding[]; summary: CheckSummary | undefined }> {
  const { checkSnapshots } = DriverServiceService;
  const findings: Finding[] = [];
  let summary: CheckSummary | undefined;
  for await (const { part } of channel.serverStream(checkSnapshots, { key, readData })) {
    if (part?.$case === 'finding') findings.push(part.value);
    else summary = part?.value;
  }
  return { findings, summary };
}
