import type { RpcChannel } from '@teu/rpc';
import { patient, requires, tempDir, type FeatureName, type TempDir } from '@teu/testing';
import { randomUUID } from 'node:crypto';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CONFORMANCE_CASES } from './cases/index.js';
import { deepStackCase } from './cases/layer-cases.js';
import { readTraits, type DeclaredTraits, type DriverTraits } from './driver-traits.js';
import { missingTrait, runCase, type CaseTarget } from './run-case.js';
import { SnapshotsClient, type SnapshotsClientOptions } from './snapshots-client.js';
import { TreeProgram } from './tree-program.js';

/** A driver that serves, for as long as the suite takes. */
export interface DriverUnderTest {
  readonly channel: RpcChannel;
  close(): Promise<void>;
}

/** Starts a driver with its data in an empty directory, which is removed when it is closed. */
export type OpenDriver = (root: string) => Promise<DriverUnderTest>;

/** How to get the driver. */
export interface DriverSuite {
  /** Called twice, one after the other. */
  readonly open: OpenDriver;
  /** What the machine must have beside root; without it the suite is skipped by name. */
  readonly features?: readonly FeatureName[];
  /** Name to send as "snapshotter"; the suite's name if absent. */
  readonly snapshotter?: string;
  /** What a snapshotter can do that has no DriverService to say so. */
  readonly declared?: DeclaredTraits;
  /** What its server wants beside the protocol. */
  readonly client?: SnapshotsClientOptions;
  /** Cases that a foreign snapshotter is known to fail, with the reason: they must fail. */
  readonly differs?: Readonly<Record<string, string>>;
  /** Stacks of random layers; 25 if absent. */
  readonly stacks?: number;
  /** Layers on top of each other, in place of 128: where each takes its time, and none is a limit of its own. */
  readonly depth?: number;
  /** Starts a driver with which the trees of random layers are compared, beside a plain directory. */
  readonly reference?: OpenDriver;
}

/** Tests are the same from run to run unless a seed is given. */
const SEED = process.env['TEU_CONFORMANCE_SEED'] ?? '1';
const STACKS = 25;

const NO_TRAITS: DriverTraits = {
  capabilities: new Set(),
  maxLayerCount: 0,
  hasDriverService: false,
};

/** 128 commits, each of which waits for the disk. */
const CASE_TIMEOUT_MS = patient(120_000);

/**
 * Puts a driver through the contract, as tests of vitest. It is started once to ask what it can do,
 * which decides on the cases, and once to run them. Needs root, for the mounts.
 */
export function describeSnapshotDriver(name: string, suite: DriverSuite): void {
  const isPossible = requires('root', 'python3', ...(suite.features ?? []));
  describe.runIf(isPossible)(`${name} keeps the contract of snapshot drivers`, async () => {
    // Tests are collected where they are skipped too, and there is no driver to ask.
    const traits = isPossible ? await askTraits(suite.open, suite.declared) : NO_TRAITS;
    const roots: TempDir[] = [];
    const opened: { close(): Promise<void> }[] = [];
    let target: CaseTarget | undefined;
    beforeAll(async () => {
      const tree = new TreeProgram();
      opened.push(tree);
      const { channel } = await open(suite.open);
      const snapshots = new SnapshotsClient(channel, suite.snapshotter ?? name, suite.client);
      const random = { seed: SEED, stacks: suite.stacks ?? STACKS };
      const keyPrefix = `conformance/${randomUUID()}/`;
      target = { channel, snapshots, traits, tree, random, keyPrefix };
      if (suite.reference === undefined) return;
      const reference = await open(suite.reference);
      target = {
        ...target,
        reference: {
          snapshots: new SnapshotsClient(reference.channel, 'reference'),
          traits: await readTraits(reference.channel),
        },
      };
    });
    afterAll(async () => {
      for (const each of opened.reverse()) await each.close();
      for (const root of roots) root.remove();
    });
    const open = async (start: OpenDriver): Promise<DriverUnderTest> => {
      const root = tempDir();
      roots.push(root);
      const driver = await start(root.path);
      opened.push(driver);
      return driver;
    };
    for (const each of CONFORMANCE_CASES) {
      const isDeep = suite.depth !== undefined && each.name === 'layers-128';
      const conformanceCase = isDeep ? deepStackCase(suite.depth) : each;
      const missing = missingTrait(conformanceCase, traits);
      if (missing !== undefined) {
        process.stdout.write(`${name}: ${conformanceCase.name} not applicable: ${missing}\n`);
        continue;
      }
      const difference = suite.differs?.[conformanceCase.name];
      const suffix = difference === undefined ? '' : ` (differs: ${difference})`;
      it(`${conformanceCase.name}${suffix}`, { timeout: CASE_TIMEOUT_MS }, async () => {
        if (target === undefined) throw new Error('the driver did not start');
        const outcome = runCase(target, conformanceCase);
        if (difference === undefined) await outcome;
        else await expect(outcome).rejects.toThrow();
      });
    }
  });
}

async function askTraits(open: OpenDriver, declared?: DeclaredTraits): Promise<DriverTraits> {
  using root = tempDir();
  const driver = await open(root.path);
  try {
    return await readTraits(driver.channel, declared);
  } finally {
    await driver.close();
  }
}
