import { BaseChanges, BaseConflict, type PlannedContainer } from '@teu/proto/engine';
import type { Image } from '@teu/proto/image';
import type { EngineParts } from '../engine-parts.js';
import { problemOf } from '../failed-start.js';
import type { PlanPart, PlanSubject } from './plan-upgrade.js';
import { topLayer } from './standing.js';
import { BaseChangeIndex, compareSnapshots, type Comparison } from './tree-changes.js';

/**
 * Tells which files differ between two bases, and where images and containers have touched the same names. What can't
 * be compared is told, and does not keep the rest from being so.
 */
export async function* planFiles(
  parts: EngineParts,
  { bases, images, containers }: PlanSubject,
  signal: AbortSignal,
): AsyncGenerator<PlanPart, void, undefined> {
  const driver = containers[0]?.driver ?? parts.drivers.defaultName;
  const index = new BaseChangeIndex();
  try {
    const snapshots = await Promise.all(
      [bases.old, bases.new].map(({ id }) => parts.images.ask(id, driver)),
    );
    const [from = '', to = ''] = snapshots.map(({ snapshot }) => snapshot);
    for await (const changes of compareSnapshots(parts.peers, { driver, from, to }, signal)) {
      index.add(changes);
      yield { $case: 'changes', value: { changes, error: '' } };
    }
  } catch (error) {
    if (signal.aborted) throw error;
    yield { $case: 'changes', value: BaseChanges.create({ error: problemOf(error) }) };
    return;
  }
  if (index.size === 0) return;
  for (const image of images) {
    if (topLayer(image) !== topLayer(bases.old)) {
      yield* imageConflicts(parts, { image, base: bases.old, driver }, index, signal);
    }
  }
  for (const container of containers) yield* containerConflicts(parts, container, index, signal);
}

async function* imageConflicts(
  parts: EngineParts,
  { image, base, driver }: { image: Image; base: Image; driver: string },
  index: BaseChangeIndex,
  signal: AbortSignal,
): AsyncGenerator<PlanPart, void, undefined> {
  const whose = { imageId: image.id, name: image.references[0] ?? '' };
  yield* conflictsOf(parts, whose, index, signal, async () => {
    const { snapshot: to } = await parts.images.ask(image.id, driver);
    return { driver, from: topLayer(base), to };
  });
}

/** One that runs may write meanwhile, so what is told of it may be a moment old. */
async function* containerConflicts(
  parts: EngineParts,
  { id, name, driver }: PlannedContainer,
  index: BaseChangeIndex,
  signal: AbortSignal,
): AsyncGenerator<PlanPart, void, undefined> {
  yield* conflictsOf(parts, { containerId: id, name }, index, signal, async () => {
    const key = parts.registry.byId(id)?.container.snapshotKey ?? '';
    const info = key === '' ? undefined : await parts.drivers.get(driver).stat(key);
    return info && { driver, from: info.parent, to: key };
  });
}

async function* conflictsOf(
  { peers }: EngineParts,
  whose: Partial<BaseConflict>,
  index: BaseChangeIndex,
  signal: AbortSignal,
  find: () => Promise<Comparison | undefined>,
): AsyncGenerator<PlanPart, void, undefined> {
  try {
    const comparison = await find();
    if (comparison === undefined) return;
    for await (const changes of compareSnapshots(peers, comparison, signal)) {
      for (const clash of changes.flatMap((change) => index.clashes(change))) {
        yield { $case: 'conflict', value: BaseConflict.create({ ...whose, ...clash }) };
      }
    }
  } catch (error) {
    if (signal.aborted) throw error;
    const problem = problemOf(error);
    yield { $case: 'conflict', value: BaseConflict.create({ ...whose, error: problem }) };
  }
}
