import { DriverServiceService } from '@teu/proto/storage';
import { mountSnapshot, unmountSnapshot } from '@teu/snapshot-conformance';
import { requires, tempDir, type FeatureName } from '@teu/testing';
import { closeSync, fsyncSync, openSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { CAPABILITY_ROWS, GRAIN_ROW, LAYERS_ROW, promisesOf } from './promise-table.js';
import type { StartedDriver } from './start-driver.js';

const FILE_BYTES = 16 << 20;
/** Blocks of file systems and pools, and what keeping track of them costs, are well below. */
const BLOCKS_BYTES = 4 << 20;

/** How a driver is started for these tests. */
export interface PromisedDriver {
  readonly features?: readonly FeatureName[];
  readonly open: (root: string) => Promise<Pick<StartedDriver, 'channel' | 'snapshots' | 'close'>>;
}

/** Holds what the README's table says of a driver against what the driver says and does. */
export function describePromises(name: string, { features = [], open }: PromisedDriver): void {
  describe.runIf(requires('root', ...features))(`what is promised of ${name}`, () => {
    it('is what it declares, and what a first write costs', { timeout: 120_000 }, async () => {
      using root = tempDir();
      const driver = await open(root.path);
      try {
        const promised = promisesOf(name);
        const answer = await driver.channel.unary(DriverServiceService.getDriver, {});
        const declared = new Set(answer.driver?.capabilities);
        for (const [row, capability] of Object.entries(CAPABILITY_ROWS)) {
          expect([row, promised.get(row)?.startsWith('yes')]).toEqual([
            row,
            declared.has(capability),
          ]);
        }
        expect(promised.get(LAYERS_ROW)).toContain(String(answer.driver?.maxLayerCount));
        expect(promised.get(GRAIN_ROW)).toContain(await grainOf(driver));
      } finally {
        await driver.close();
      }
    });
  });
}

/** Writes one byte to a file of an image, and tells what that took on the disk. */
async function grainOf({ snapshots }: Pick<StartedDriver, 'snapshots'>): Promise<string> {
  using work = tempDir();
  const place = join(work.path, 'mounted');
  const withRoot = async (
    mounts: Awaited<ReturnType<typeof snapshots.prepare>>,
    act: () => void,
  ) => {
    await mountSnapshot(mounts, place);
    act();
    await unmountSnapshot(place);
  };
  const file = join(place, 'file');
  await withRoot(await snapshots.prepare('making'), () => {
    writeFileSync(file, Buffer.alloc(FILE_BYTES, 'f'));
  });
  await snapshots.commit('image', 'making');
  const mounts = await snapshots.prepare('container', 'image');
  const before = (await snapshots.usage('container')).size;
  if (before > FILE_BYTES) return 'nothing';
  await withRoot(mounts, () => {
    const descriptor = openSync(file, 'r+');
    writeSync(descriptor, 'x', FILE_BYTES / 2);
    fsyncSync(descriptor);
    closeSync(descriptor);
  });
  const grown = (await snapshots.usage('container')).size - before;
  return grown < BLOCKS_BYTES ? 'block' : 'file';
}
