import { isTeuError } from '@teu/errors';
import { patient, requires, type FeatureName } from '@teu/testing';
import { setTimeout as delay } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SnapshotsClient } from '../snapshots-client.js';
import { expectAddsUp, expectSound, makeFiles, withTree, writeFiles } from './expect-sound.js';
import {
  directoryPlace,
  type DriverPlace,
  type StartTested,
  type TestedService,
} from './tested-service.js';

/** How to get a driver that can be crashed. */
export interface RecoverySuite {
  readonly start: StartTested;
  /** Points that preparing, committing, removing, and starting again pass. */
  readonly failpoints: readonly string[];
  /** Makes an empty place for one test; a temporary directory if absent. */
  readonly place?: () => Promise<DriverPlace>;
  /** What the machine must have beside root. */
  readonly features?: readonly FeatureName[];
}

const CASE_TIMEOUT_MS = patient(60_000);
/** Work in the background may reach its point only when all calls are answered. */
const CRASH_MS = patient(15_000);

/** Crashes a driver at each of its failpoints, and starts it again. */
export function describeDriverRecovery(name: string, suite: RecoverySuite): void {
  const isPossible = requires('root', ...(suite.features ?? []));
  describe.runIf(isPossible)(`${name} after a crash`, { timeout: CASE_TIMEOUT_MS }, () => {
    let place: DriverPlace;
    let running: TestedService | undefined;
    beforeEach(async () => {
      place = await (suite.place ?? directoryPlace)();
    });
    afterEach(async () => {
      await running?.stop();
      await place.remove();
    });
    const start = async (environment: Record<string, string> = {}): Promise<TestedService> => {
      running = await suite.start(place, environment);
      return running;
    };

    it.each(suite.failpoints)('at %s', async (point) => {
      const first = await start();
      await makeSome(clientOf(first));
      await first.stop();

      const crashing = await start({ TEU_FAILPOINTS: `${point}=kill` }).catch(() => undefined);
      // A point that every start passes has been passed by now.
      if (crashing !== undefined) await crashInSteps(crashing);

      const again = await start();
      const names = (await expectSound(again.channel)).map((info) => info.name);
      expect(names).toContain('base');
      expect(names).not.toContain('removed');
      // Committed or not, and both are right; half of it would not be.
      expect(names.filter((each) => ['making top', 'top'].includes(each)).length).toBeLessThan(2);
      await retry(clientOf(again));
      await removeAll(again);
    });
  });
}

const clientOf = ({ channel }: TestedService): SnapshotsClient => new SnapshotsClient(channel, '');

async function makeSome(snapshots: SnapshotsClient): Promise<void> {
  await makeFiles(snapshots, 'base');
  await snapshots.prepare('other', 'base');
  await makeFiles(snapshots, 'removed');
  await snapshots.remove('removed');
}

/** Passes every point, and fails if that was no crash. */
async function crashInSteps(crashing: TestedService): Promise<void> {
  const snapshots = clientOf(crashing);
  const steps = async (): Promise<void> => {
    await makeFiles(snapshots, 'top', 'base');
    await snapshots.remove('other');
    await snapshots.cleanup();
  };
  await steps().catch((error: unknown) => {
    if (!isTeuError(error, 'UNAVAILABLE')) throw error;
  });
  const deadline = new AbortController();
  const tooLate = delay(CRASH_MS, undefined, { signal: deadline.signal }).catch(() => undefined);
  const end = await Promise.race([crashing.exited, tooLate]);
  deadline.abort();
  expect(end, 'the failpoint was not passed').toMatchObject({ signal: 'SIGKILL' });
}

/** Whoever got no answer asks again with the same key, and comes to the same end. */
async function retry(snapshots: SnapshotsClient): Promise<void> {
  const exists = (error: unknown): void => {
    if (!isTeuError(error) || error.status !== 'ALREADY_EXISTS') throw error;
  };
  const isThere = async (name: string): Promise<boolean> =>
    (await snapshots.list()).some((info) => info.name === name);
  if (!(await isThere('top'))) {
    await snapshots.prepare('making top', 'base').catch(exists);
    await withTree(await snapshots.mounts('making top'), (root) => {
      writeFiles(root, 'top');
    });
    await snapshots.commit('top', 'making top');
  }
  if (await isThere('other')) await snapshots.remove('other');
}

/** In the end nothing is left of anything. */
async function removeAll(service: TestedService): Promise<void> {
  const snapshots = clientOf(service);
  const names = (await expectSound(service.channel)).map((info) => info.name).sort();
  expect(names).toEqual(['base', 'top']);
  await snapshots.remove('top');
  await snapshots.remove('base');
  await snapshots.cleanup();
  await expectAddsUp(service.channel, 0);
}
