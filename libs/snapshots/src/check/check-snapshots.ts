import { teuError } from '@teu/errors';
import { Kind } from '@teu/proto/snapshots';
import type { CheckSnapshotsResponse, Finding } from '@teu/proto/storage';
import type { SnapshotContext } from '../context.js';
import { findSnapshot } from '../find-snapshot.js';
import { eachRecord } from '../each-record.js';
import type { SnapshotRecord } from '../record.js';
import { finding, foreignStorage, missingStorage, strayManifest, strayOf } from './findings.js';
import { judgeSnapshot } from './judge-snapshot.js';
import { describeLost, lostOf } from './restore-records.js';
import { surveyStorage } from './survey.js';
import { Tally } from './tally.js';

/** What a check or repair looks at. */
export interface CheckRequest {
  /** Name of one committed snapshot; empty for everything. */
  readonly key: string;
  readonly readData: boolean;
}

/**
 * Compares what is on disk with what was committed, and gives what is wrong, then a summary. Changes
 * nothing but that snapshots without a manifest get theirs.
 *
 * @throws SNAPSHOT_NOT_FOUND, INVALID_STATE if `key` is not committed
 */
export async function* checkSnapshots(
  context: SnapshotContext,
  { key, readData }: CheckRequest,
  signal: AbortSignal,
): AsyncGenerator<CheckSnapshotsResponse> {
  const only = key === '' ? undefined : requireCommitted(context, key);
  const tally = new Tally();
  for await (const found of findAll(context, only, readData, tally, signal)) {
    tally.countFinding(true);
    yield { part: { $case: 'finding', value: found } };
  }
  yield { part: { $case: 'summary', value: tally.summary() } };
}

async function* findAll(
  context: SnapshotContext,
  only: SnapshotRecord | undefined,
  readData: boolean,
  tally: Tally,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  const survey = await surveyStorage(context);
  const missing = new Set(survey.missing.map(({ id }) => id));
  for await (const record of only === undefined ? eachRecord(context) : [only]) {
    signal.throwIfAborted();
    if (missing.has(record.id)) {
      tally.countSnapshot(true);
      yield missingStorage(record.name);
    } else if (record.kind === Kind.COMMITTED) {
      yield* findInSnapshot(context, record, readData, tally, signal);
    } else {
      tally.countSnapshot(true);
    }
  }
  if (only !== undefined) return;
  for (const lost of await lostOf(context, survey.lost)) yield describeLost(lost);
  for (const id of survey.strays) yield strayOf(id);
  for (const id of survey.strayManifests) yield strayManifest(id);
  for (const name of survey.foreign) yield foreignStorage(name);
}

async function* findInSnapshot(
  context: SnapshotContext,
  record: SnapshotRecord,
  readData: boolean,
  tally: Tally,
  signal: AbortSignal,
): AsyncGenerator<Finding> {
  const judgement = await judgeSnapshot(context, record, { readData, mend: false }, signal);
  if (judgement.outcome === 'gone') return;
  tally.countSnapshot(judgement.outcome === 'compared');
  if (judgement.outcome === 'unjudged') yield judgement.finding;
  if (judgement.outcome !== 'compared') return;
  const { differences, fileCount, readBytes } = judgement.comparison;
  tally.countFiles(fileCount, readBytes);
  for (const { kind, path, detail } of differences) {
    yield finding(kind, { key: record.name, path, detail });
  }
}

/** @throws SNAPSHOT_NOT_FOUND, INVALID_STATE */
export function requireCommitted(context: SnapshotContext, key: string): SnapshotRecord {
  const record = findSnapshot(context, key);
  if (record.kind === Kind.COMMITTED) return record;
  throw teuError('INVALID_STATE', `snapshot "${key}" cannot be checked: it is not committed`, {
    metadata: { snapshot: key },
  });
}
