import { expectSound } from '@teu/snapshot-conformance';
import { startService } from '@teu/testing';
import { note } from './diary.js';
import type { Place } from './place.js';

/** Starts the driver on what the disk has kept, reads every byte, and notes what is there. */
export async function findSnapshots(driver: string, place: Place, runDir: string): Promise<void> {
  const service = await startService(driver, { runDir, ...place });
  try {
    for (const { name } of await expectSound(service.channel)) note(driver, 'found', name);
  } catch (error) {
    note(driver, 'damaged', (error as Error).message);
  } finally {
    await service.stop();
  }
}
