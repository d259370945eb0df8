import { Kind } from '@teu/proto/snapshots';
import { DriverServiceService } from '@teu/proto/storage';
import { isTeuError } from '@teu/errors';
import { requires, type FeatureName } from '@teu/testing';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { SnapshotsClient } from '../snapshots-client.js';
import { expectAddsUp, expectSound, makeFiles, withTree, writeFiles } from './expect-sound.js';
import {
  directoryPlace,
  type DriverPlace,
  type StartTested,
  type TestedService,
} from './tested-service.js';

/** How to get a driver that puts snapshots on other parents, or merges them into theirs. */
export interface ChangeRecoverySuite {
  readonly start: StartTested;
  /** Points that SetParent passes; none if it is not there. */
  readonly reparentFailpoints?: readonly string[];
  /** Points that MergeIntoParent passes; none if it is not there. */
  readonly mergeFailpoints?: readonly string[];
  /** Points that ReplaceSnapshot passes; none if it is not there. */
  readonly replaceFailpoints?: readonly string[];
  /** What the machine must have beside root. */
  readonly features?: readonly FeatureName[];
}

const CASE_TIMEOUT_MS = 60_000;
const { setParent, mergeIntoParent, replaceSnapshot } = DriverServiceService;

/** Crashes a driver while it changes what others stand on, and starts it again. */
export function describeChangeRecovery(name: string, suite: ChangeRecoverySuite): void {
  const isPossible = requires('root', ...(suite.features ?? []));
  const { reparentFailpoints = [], mergeFailpoints = [], replaceFailpoints = [] } = suite;
  const title = `${name} after a crash amid a change`;
  describe.runIf(isPossible)(title, { timeout: CASE_TIMEOUT_MS }, () => {
    let place: DriverPlace;
    let running: TestedService | undefined;
    beforeEach(async () => {
      place = await directoryPlace();
    });
    afterEach(async () => {
      await running?.stop();
      await place.remove();
    });
    const start = async (point?: string): Promise<TestedService> => {
      running = await suite.start(
        place,
        point === undefined ? {} : { TEU_FAILPOINTS: `${point}=kill` },
      );
      return running;
    };

    it.each(reparentFailpoints)('of parents, at %s', async (point) => {
      await makeBases(await start());
      await running?.stop();
      const crashing = await start(point);
      const request = { key: 'a', parent: 'after', expectedParent: 'before' };
      await expectCrash(crashing, crashing.channel.unary(setParent, request));

      const again = await start();
      const snapshots = new SnapshotsClient(again.channel, '');
      await expectSound(again.channel);
      await again.channel.unary(setParent, request);
      expect(await snapshots.stat('a')).toMatchObject({ parent: 'after', kind: Kind.ACTIVE });
      await withTree(await snapshots.mounts('a'), (root) => {
        expect(readFileSync(join(root, 'own'), 'utf8')).toBe('own');
        expect(existsSync(join(root, 'after 0'))).toBe(true);
        expect(existsSync(join(root, 'before 0'))).toBe(false);
      });
      await removeAll(again);
    });

    it.each(mergeFailpoints)('by a merge, at %s', async (point) => {
      await makeBases(await start());
      await running?.stop();
      const crashing = await start(point);
      const request = { key: 'a', expectedParent: 'before' };
      await expectCrash(crashing, crashing.channel.unary(mergeIntoParent, request));

      // Once there is a record of it, it is ended by the start, and asking again finds nothing to do.
      const again = await start();
      const snapshots = new SnapshotsClient(again.channel, '');
      const expectMerged = async (): Promise<void> => {
        await withTree(await snapshots.view('look', 'before'), (root) => {
          expect(readFileSync(join(root, 'own'), 'utf8')).toBe('own');
          expect(readFileSync(join(root, 'before 0'), 'utf8')).toContain('before 0');
          expect(existsSync(join(root, 'before 1'))).toBe(false);
        });
        await snapshots.remove('look');
      };
      await expectMerged();
      expect(await again.channel.unary(mergeIntoParent, request)).toEqual({ changedCount: 0 });
      await expectMerged();
      expect(await snapshots.stat('a')).toMatchObject({ parent: 'before', kind: Kind.ACTIVE });
      await removeAll(again);
    });

    it.each(replaceFailpoints)('by a replacement, at %s', async (point) => {
      await makeStacked(await start());
      await running?.stop();
      const crashing = await start(point);
      const request = { key: 'anew', name: 'middle' };
      await expectCrash(crashing, crashing.channel.unary(replaceSnapshot, request));

      // Done or not done; and if not, it can be asked for again.
      const again = await start();
      const snapshots = new SnapshotsClient(again.channel, '');
      const isDone = !(await snapshots.list()).some(({ name }) => name === 'anew');
      expect(isDone).toBe(point.endsWith('after-row'));
      if (!isDone) await again.channel.unary(replaceSnapshot, request);
      await withTree(await snapshots.mounts('a'), (root) => {
        expect(readFileSync(join(root, 'file'), 'utf8')).toBe('anew');
      });
      // What it may have been mounted with stays as long as it.
      await snapshots.remove('a');
      await expectSound(again.channel);
      await removeNamed(again, ['middle', 'before']);
    });
  });
}

/** A container on a layer on another, and what is to take the place of the upper one. */
async function makeStacked(service: TestedService): Promise<void> {
  const snapshots = new SnapshotsClient(service.channel, '');
  await makeFiles(snapshots, 'before');
  for (const [key, text] of [
    ['middle being made', 'middle'],
    ['anew', 'anew'],
  ] as const) {
    await withTree(await snapshots.prepare(key, 'before'), (root) => {
      writeFiles(root, 'middle');
      writeFileSync(join(root, 'file'), text);
    });
  }
  await snapshots.commit('middle', 'middle being made');
  await snapshots.prepare('a', 'middle');
}

/** Two bases, and a snapshot on the first that has a file of its own and lacks one of the base. */
async function makeBases(service: TestedService): Promise<void> {
  const snapshots = new SnapshotsClient(service.channel, '');
  await makeFiles(snapshots, 'before');
  await makeFiles(snapshots, 'after');
  await withTree(await snapshots.prepare('a', 'before'), (root) => {
    writeFileSync(join(root, 'own'), 'own');
    rmSync(join(root, 'before 1'));
  });
}

async function expectCrash(crashing: TestedService, call: Promise<unknown>): Promise<void> {
  await call.catch((error: unknown) => {
    if (!isTeuError(error, 'UNAVAILABLE')) throw error;
  });
  expect(await crashing.exited).toMatchObject({ signal: 'SIGKILL' });
}

function removeAll(service: TestedService): Promise<void> {
  return removeNamed(service, ['a', 'before', 'after']);
}

async function removeNamed(service: TestedService, names: readonly string[]): Promise<void> {
  const snapshots = new SnapshotsClient(service.channel, '');
  for (const name of names) await snapshots.remove(name);
  await snapshots.cleanup();
  await expectAddsUp(service.channel, 0);
}
