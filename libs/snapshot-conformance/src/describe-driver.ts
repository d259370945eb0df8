import type { RpcChannel } from '@teu/rpc';
import { tempDir } from '@teu/testing';
import { afterAll, beforeAll, describe, it } from 'vitest';
import { CONFORMANCE_CASES } from './cases.js';
import type { ConformanceCapability } from './conformance-case.js';
import { SnapshotsClient } from './snapshots-client.js';

/** A driver that serves, for as long as the suite takes. */
export interface DriverUnderTest {
  readonly channel: RpcChannel;
  close(): Promise<void>;
}

/** How to get the driver, and what it says it can do. */
export interface DriverSuite {
  readonly capabilities: readonly ConformanceCapability[];
  /** Starts it with an empty directory that is removed afterwards. */
  readonly open: (root: string) => Promise<DriverUnderTest>;
  /** Name to send as "snapshotter"; the suite's name if absent. */
  readonly snapshotter?: string;
}

/** 128 commits, each of which waits for the disk. */
const CASE_TIMEOUT_MS = 120_000;

/** Puts a driver through the contract, as tests of vitest. Needs root, for the mounts. */
export function describeSnapshotDriver(name: string, suite: DriverSuite): void {
  describe(`${name} keeps the contract of snapshot drivers`, () => {
    const root = tempDir();
    let driver: DriverUnderTest | undefined;
    beforeAll(async () => {
      driver = await suite.open(root.path);
    });
    afterAll(async () => {
      await driver?.close();
      root.remove();
    });
    for (const { name: caseName, needs = [], run } of CONFORMANCE_CASES) {
      if (needs.some((capability) => !suite.capabilities.includes(capability))) continue;
      it(caseName, { timeout: CASE_TIMEOUT_MS }, async () => {
        using work = tempDir();
        if (driver === undefined) throw new Error('the driver did not start');
        const snapshots = new SnapshotsClient(driver.channel, suite.snapshotter ?? name);
        const key = (text: string): string => `${caseName}/${text}`;
        await run({ snapshots, work: work.path, key });
      });
    }
  });
}
