import { closeSync, existsSync, openSync, readdirSync, readFileSync } from 'node:fs';

/** A block device of this machine. */
export interface Disk {
  readonly path: string;
  readonly major: number;
  readonly minor: number;
}

/** Finds a disk, a whole one; undefined on a machine that has none. */
export function someDisk(): Disk | undefined {
  const name = readdirSync('/sys/block').find(
    (each) => !/^(loop|ram|zram|dm-|nbd)/.test(each) && existsSync(`/dev/${each}`),
  );
  if (name === undefined) return undefined;
  const [major, minor] = readFileSync(`/sys/block/${name}/dev`, 'utf8').split(':').map(Number);
  return { path: `/dev/${name}`, major: major!, minor: minor! };
}

/** Tells whether this machine lets its root read the disk, which virtual ones do not all. */
export function canRead({ path }: Disk): boolean {
  try {
    closeSync(openSync(path, 'r'));
    return true;
  } catch {
    return false;
  }
}
