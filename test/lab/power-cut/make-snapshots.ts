import { makeFiles, SnapshotsClient } from '@teu/snapshot-conformance';
import { startService } from '@teu/testing';
import { note } from './diary.js';
import type { Place } from './place.js';

/** Layers that stand on each other, before those that stand alone. */
const STACKED = 2;

/** Makes and removes snapshots until the power goes, and notes what was asked and what was answered. */
export async function makeSnapshots(driver: string, place: Place, runDir: string): Promise<void> {
  const service = await startService(driver, { runDir, ...place });
  const snapshots = new SnapshotsClient(service.channel, '');
  const make = async (name: string, work: () => Promise<unknown>): Promise<void> => {
    note(driver, 'asked', name);
    await work();
    note(driver, 'made', name);
  };
  const remove = async (name: string): Promise<void> => {
    note(driver, 'asked to remove', name);
    await snapshots.remove(name);
    note(driver, 'removed', name);
  };
  for (let number = 0; ; number += 1) {
    const layer = `layer ${number}`;
    // An overlay makes what is below it durable when it is unmounted; what stands alone is not helped.
    const parent = number > 0 && number < STACKED ? `layer ${number - 1}` : '';
    await make(layer, () => makeFiles(snapshots, layer, parent));
    await make(`container ${number}`, () => snapshots.prepare(`container ${number}`, layer));
    if (number >= STACKED && number % 2 === 0) await remove(`container ${number}`);
  }
}
