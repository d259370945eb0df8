import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const NAME = 'lost';

/** Writes down that a process ended without an exit record, and when that was noticed. */
export async function writeLostMark(directory: string, time: Date): Promise<void> {
  await writeFile(join(directory, NAME), time.toISOString(), { mode: 0o600 });
}

/** When the process was noticed to be lost; null if it was not. */
export async function readLostMark(directory: string): Promise<Date | null> {
  const text = await readFile(join(directory, NAME), 'utf8').catch(() => '');
  const time = new Date(text);
  return Number.isNaN(time.getTime()) ? null : time;
}
