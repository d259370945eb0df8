import { closeSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { withMounted } from './mounted.js';
import { newKey, type Subject } from './subject.js';

/** Files that are made and deleted. */
export const SMALL_FILES = 1000;

/** What writing in a container costs, in milliseconds. */
export interface WriteFigure {
  /** The first byte written to a big file of the image. */
  readonly firstWrite: number;
  readonly create: number;
  readonly remove: number;
}

/** Writes in one container of a layer that has a big file. */
export async function measureWrites(
  subject: Subject,
  { layer, file }: { layer: string; file: string },
  work: string,
): Promise<WriteFigure> {
  const mounts = await subject.client.prepare(newKey(subject), layer, subject.labels);
  const timed = (act: () => void): number => {
    const begin = performance.now();
    act();
    return performance.now() - begin;
  };
  return withMounted(mounts, work, (root) => {
    const firstWrite = timed(() => {
      const big = openSync(join(root, file), 'r+');
      writeSync(big, 'x', 0);
      closeSync(big);
    });
    const names = Array.from({ length: SMALL_FILES }, (_, index) => join(root, `small-${index}`));
    const create = timed(() => names.forEach((name) => writeFileSync(name, 'small')));
    const remove = timed(() => names.forEach((name) => rmSync(name)));
    return { firstWrite, create, remove };
  });
}
