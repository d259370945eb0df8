import type { RpcChannel } from '@teu/rpc';
import { requires, tempDir, type FeatureName } from '@teu/testing';
import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { CONFORMANCE_CASES } from './cases/index.js';
import { readTraits, type DeclaredTraits, type DriverTraits } from './driver-traits.js';
import { missingTrait, runCase } from './run-case.js';
import { SnapshotsClient } from './snapshots-client.js';
import { TreeProgram } from './tree-program.js';

/** A driver that serves, for as long as the suite takes. */
export interface DriverUnderTest {
  readonly channel: RpcChannel;
  close(): Promise<void>;
}

/** How to get the driver. */
export interface DriverSuite {
  /** Starts it with an empty directory that is removed afterwards. Called twice. */
  readonly open: (root: string) => Promise<DriverUnderTest>;
  /** What the machine must have beside root; without it the suite is skipped by name. */
  readonly features?: readonly FeatureName[];
  /** Name to send as "snapshotter"; the suite's name if absent. */
  readonly snapshotter?: string;
  /** What a snapshotter can do that has no DriverService to say so. */
  readonly declared?: DeclaredTraits;
}

/** 128 commits, each of which waits for the disk. */
const CASE_TIMEOUT_MS = 120_000;

/**
 * Puts a driver through the contract, as tests of vitest. It is started once to ask what it can do,
 * which decides on the cases, and once to run them. Needs root, for the mounts.
 */
export function describeSnapshotDriver(name: string, suite: DriverSuite): void {
  const isPossible = requires('root', 'python3', ...(suite.features ?? []));
  describe.runIf(isPossible)(`${name} keeps the contract of snapshot drivers`, async () => {
    const traits = await askTraits(suite);
    const root = tempDir();
    let tree: TreeProgram | undefined;
    let driver: DriverUnderTest | undefined;
    beforeAll(async () => {
      tree = new TreeProgram();
      driver = await suite.open(root.path);
    });
    afterAll(async () => {
      await driver?.close();
      await tree?.close();
      root.remove();
    });
    for (const conformanceCase of CONFORMANCE_CASES) {
      const missing = missingTrait(conformanceCase, traits);
      if (missing !== undefined) {
        process.stdout.write(`${name}: ${conformanceCase.name} not applicable: ${missing}\n`);
        continue;
      }
      it(conformanceCase.name, { timeout: CASE_TIMEOUT_MS }, async () => {
        if (driver === undefined || tree === undefined) throw new Error('the driver did not start');
        const { channel } = driver;
        const snapshots = new SnapshotsClient(channel, suite.snapshotter ?? name);
        const keyPrefix = `conformance/${randomUUID()}/`;
        await runCase({ channel, snapshots, traits, tree, keyPrefix }, conformanceCase);
      });
    }
  });
}

async function askTraits({ open, declared }: DriverSuite): Promise<DriverTraits> {
  using root = tempDir();
  const driver = await open(root.path);
  try {
    return await readTraits(driver.channel, declared);
  } finally {
    await driver.close();
  }
}
