import { Kind } from '@teu/proto/snapshots';
import type { SnapshotContext } from '../context.js';
import { hasOwnStorage } from '../find-snapshot.js';
import { eachRecord } from '../each-record.js';
import type { SnapshotRecord } from '../record.js';

/** Where rows and what lies on disk disagree. */
export interface Survey {
  /** Rows without storage. */
  readonly missing: readonly SnapshotRecord[];
  /** Ids of storage that belongs to no row, and has a manifest: committed once. */
  readonly lost: readonly number[];
  /** Ids of storage that belongs to nothing. */
  readonly strays: readonly number[];
  /** Ids of manifests without storage, or of what is not committed. */
  readonly strayManifests: readonly number[];
  /** Names of what nobody here makes, relative to the driver's directory. */
  readonly foreign: readonly string[];
}

/**
 * Compares rows with what lies on disk. Others work meanwhile, so what disagrees is looked at twice:
 * a snapshot that is made or removed between two looks is in order.
 */
export async function surveyStorage(context: SnapshotContext): Promise<Survey> {
  const first = await lookOnce(context);
  if (Object.values(first).every((list: readonly unknown[]) => list.length === 0)) return first;
  const second = await lookOnce(context);
  const missing = new Set(second.missing.map(({ id }) => id));
  return {
    missing: first.missing.filter(({ id }) => missing.has(id)),
    lost: inBoth(first.lost, second.lost),
    strays: inBoth(first.strays, second.strays),
    strayManifests: inBoth(first.strayManifests, second.strayManifests),
    foreign: inBoth(first.foreign, second.foreign),
  };
}

async function lookOnce(context: SnapshotContext): Promise<Survey> {
  const { driver, manifests, records } = context;
  const { complete, incomplete, foreign } = await driver.inventory();
  const sealed = manifests.inventory();
  const discards = new Set(records.discards());
  const kinds = new Map<number, Kind>();
  const missing: SnapshotRecord[] = [];
  for await (const record of eachRecord(context)) {
    kinds.set(record.id, record.kind);
    const isThere = complete.has(record.id) || !hasOwnStorage(context, record);
    if (!isThere) missing.push(record);
  }
  const ownerless = (id: number): boolean => !kinds.has(id) && !records.isInMotion(id);
  const stored = [...complete, ...incomplete].filter(ownerless);
  const isLost = (id: number): boolean => sealed.ids.has(id) && !discards.has(id);
  const lost = stored.filter(isLost);
  const isStrayManifest = (id: number): boolean =>
    kinds.get(id) !== Kind.COMMITTED && !lost.includes(id) && !records.isInMotion(id);
  return {
    missing,
    lost,
    strays: stored.filter((id) => !isLost(id)),
    strayManifests: [...sealed.ids].filter(isStrayManifest),
    foreign: [...foreign, ...sealed.foreign],
  };
}

function inBoth<T>(first: readonly T[], second: readonly T[]): T[] {
  const others = new Set(second);
  return first.filter((one) => others.has(one));
}
