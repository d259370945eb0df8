import type { SnapshotContext } from './context.js';

type Parts = Pick<
  SnapshotContext,
  'driver' | 'log' | 'manifests' | 'records' | 'replaced' | 'scheduleReclaim'
>;

/**
 * Discards the storage of what was replaced, as far as nobody can have it mounted any more: a layer that vanishes under
 * a running container takes its files along. Who stood on it when it was replaced holds it, until it is removed
 * or the host boots.
 */
export async function freeReplaced(context: Parts): Promise<void> {
  const { driver, log, manifests, records, replaced } = context;
  for (const id of replaced.ids()) {
    // What is kept has no row, and is neither lost nor stray.
    records.setInMotion(id);
    if (replaced.isHeld(id)) continue;
    records.transaction(() => {
      records.addDiscard(id);
      replaced.forget(id);
    });
    try {
      await driver.discard(id);
      manifests.remove(id);
      context.scheduleReclaim();
    } catch (error) {
      log.error({ err: error, id }, 'the files of a replaced snapshot stay for now');
    } finally {
      records.settle(id);
    }
  }
}
