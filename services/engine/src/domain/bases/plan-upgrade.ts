import {
  PlanSummary,
  PlannedContainer,
  RebaseTiming,
  type PlanBaseUpgradeRequest,
  type PlanBaseUpgradeResponse,
} from '@teu/proto/engine';
import type { Image } from '@teu/proto/image';
import type { ContainerEntry } from '../container-entry.js';
import type { EngineParts } from '../engine-parts.js';
import { problemOf } from '../failed-start.js';
import { planFiles } from './plan-files.js';
import { RebaseAbilities, rebaseTiming } from './rebase-timing.js';
import { destinedImage, findBases, imagesToRebuild, listImages, type Bases } from './standing.js';

/** A message of a plan. */
export type PlanPart = NonNullable<PlanBaseUpgradeResponse['part']>;

/** What a plan is about, once it is known. */
export interface PlanSubject {
  bases: Bases;
  images: readonly Image[];
  containers: readonly PlannedContainer[];
}

const COUNTED: Readonly<Partial<Record<RebaseTiming, keyof PlanSummary>>> = {
  [RebaseTiming.REBASE_TIMING_NOW_LIVE]: 'liveCount',
  [RebaseTiming.REBASE_TIMING_NOW_STOPPED]: 'stoppedCount',
  [RebaseTiming.REBASE_TIMING_AT_NEXT_START]: 'scheduledCount',
  [RebaseTiming.REBASE_TIMING_NEVER]: 'neverCount',
};

/**
 * Tells what an upgrade would do.
 * @throws IMAGE_NOT_FOUND, INVALID_ARGUMENT
 */
export async function* planUpgrade(
  parts: EngineParts,
  request: PlanBaseUpgradeRequest,
  signal: AbortSignal,
): AsyncGenerator<PlanPart, void, undefined> {
  const bases = await findBases(parts.peers, request);
  const entries = parts.registry.all();
  const used = new Set(entries.map(({ container }) => destinedImage(container)));
  const images = imagesToRebuild(await listImages(parts.peers), bases, (id) => used.has(id));
  const summary = PlanSummary.create({ oldImageId: bases.old.id, newImageId: bases.new.id });
  summary.imageCount = images.length;
  for (const { id, references, layers } of images) {
    const ownLayerCount = layers.length - bases.old.layers.length;
    yield { $case: 'image', value: { id, references, ownLayerCount } };
  }
  const concerned = new Set([bases.old.id, ...images.map(({ id }) => id)]);
  const abilities = new RebaseAbilities(parts);
  const containers: PlannedContainer[] = [];
  for (const entry of entries) {
    if (!concerned.has(destinedImage(entry.container))) continue;
    const value = await planContainer(abilities, entry);
    containers.push(value);
    const counted = COUNTED[value.timing];
    if (counted !== undefined) (summary[counted] as number) += 1;
    yield { $case: 'container', value };
  }
  if (!request.skipFiles) {
    for await (const part of planFiles(parts, { bases, images, containers }, signal)) {
      if (part.$case === 'changes') summary.changeCount += part.value.changes.length;
      if (part.$case === 'conflict' && part.value.error === '') summary.conflictCount += 1;
      yield part;
    }
  }
  yield { $case: 'summary', value: summary };
}

async function planContainer(
  abilities: RebaseAbilities,
  entry: ContainerEntry,
): Promise<PlannedContainer> {
  const { id, name, driver, state, imageId } = entry.container;
  const planned = PlannedContainer.create({ id, name, driver, state, imageId });
  try {
    return { ...planned, timing: rebaseTiming(entry, await abilities.of(driver)) };
  } catch (error) {
    return { ...planned, timing: RebaseTiming.REBASE_TIMING_NEVER, detail: problemOf(error) };
  }
}
