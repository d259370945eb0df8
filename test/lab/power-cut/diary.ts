import { writeSync } from 'node:fs';

/** What becomes of a snapshot. */
export type Event = 'asked' | 'made' | 'asked to remove' | 'removed' | 'found' | 'damaged';

/** A line of what the machine tells of a driver. It leaves the machine before the next call is made. */
export interface Entry {
  readonly driver: string;
  readonly event: Event;
  /** A snapshot; for "damaged" what is wrong. */
  readonly name: string;
}

/** Writes an entry to the standard output. */
export function note(driver: string, event: Event, name: string): void {
  writeSync(1, `${JSON.stringify({ driver, event, name } satisfies Entry)}\n`);
}

/** Reads entries; a last line that is not whole is none. */
export function readDiary(text: string): Entry[] {
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Entry);
}
