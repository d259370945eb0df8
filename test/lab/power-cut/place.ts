import { runProgram } from '@teu/testing/run-program';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** Where a driver keeps its things on the disk that the power is taken from. */
export interface Place {
  readonly dataDir: string;
  /** More words for the service. */
  readonly args: readonly string[];
}

/** Makes a place on an empty disk, or finds the one that was made before the power cut. */
type OpenPlace = (device: string, isNew: boolean) => Promise<Place>;

/** A driver of directories, on ext4. */
async function ext4Place(device: string, isNew: boolean): Promise<Place> {
  if (isNew) await succeed('mkfs.ext4', '-q', device);
  const path = join('/run', device);
  mkdirSync(path, { recursive: true });
  // Seconds: what is written by itself now and then would make a power cut kinder than it may be.
  await succeed('mount', '-o', 'commit=300', device, path);
  return { dataDir: join(path, 'd'), args: [] };
}

/** Volumes in files, which lie on ext4; what is below the pool is cut as a disk would be. */
async function poolPlace(device: string, isNew: boolean): Promise<Place> {
  await succeed('modprobe', '--all', 'dm_thin_pool', 'loop');
  const place = await ext4Place(device, isNew);
  return { ...place, args: ['--dm-base-size', '256MiB', '--dm-data-size', '768MiB'] };
}

/** The drivers that are tested. Each has a disk of its own, in this order: /dev/vdb, /dev/vdc, … */
export const PLACES: Readonly<Record<string, OpenPlace>> = {
  overlay2: ext4Place,
  vfs: ext4Place,
  devicemapper: poolPlace,
};

async function succeed(program: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await runProgram(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
