import { existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { capture } from '../harness/process.js';

/** Directories that a union is made of, and where it is mounted. */
export interface Layers {
  readonly upper: string;
  readonly middle: string;
  readonly lower: string;
  readonly mounted: string;
  /** For what the union needs beside. */
  readonly work: string;
}

/** A way to make a union of directories. */
export interface Union {
  readonly name: string;
  mount(layers: Layers): void;
}

const PROGRAM = fileURLToPath(new URL('../../native/build/teu-union', import.meta.url));
const GONE_TIMEOUT_MS = 20_000;
const POLL_MS = 5;

const overlayOptions = ({ upper, middle, lower, work }: Layers): string =>
  `lowerdir=${middle}:${lower},upperdir=${upper},workdir=${work}`;

/** All that are measured; the first is what the others are compared with. */
export const UNIONS: readonly Union[] = [
  {
    name: 'overlayfs',
    mount: (layers) =>
      void capture('mount', [
        '-t',
        'overlay',
        '-o',
        overlayOptions(layers),
        'none',
        layers.mounted,
      ]),
  },
  {
    name: 'teu-union',
    mount: ({ upper, middle, lower, mounted, work }) => {
      const branches = [`${upper}=rw`, `${middle}=ro+wh`, `${lower}=ro+wh`];
      const options = branches.flatMap((branch) => ['--branch', branch]);
      const control = join(work, 'control');
      capture(PROGRAM, ['mount', '--mount-point', mounted, '--control', control, ...options]);
    },
  },
  {
    name: 'unionfs-fuse',
    mount: ({ upper, middle, lower, mounted }) =>
      void capture('unionfs', [
        '-o',
        'cow,allow_other,use_ino,suid,dev,hide_meta_files',
        `${upper}=RW:${middle}=RO:${lower}=RO`,
        mounted,
      ]),
  },
  {
    name: 'fuse-overlayfs',
    mount: (layers) =>
      void capture('fuse-overlayfs', ['-o', overlayOptions(layers), layers.mounted]),
  },
];

/** Empty layers below a directory. */
export function makeLayers(directory: string): Layers {
  const at = (name: string): string => join(directory, name);
  const layers = {
    upper: at('upper'),
    middle: at('middle'),
    lower: at('lower'),
    mounted: at('mounted'),
    work: at('work'),
  };
  for (const path of Object.values(layers)) mkdirSync(path, { recursive: true });
  return layers;
}

/** Unmounts a union, and waits until what serves it has let go of it. */
export async function unmount({ mounted, work }: Layers): Promise<void> {
  capture('umount', [mounted]);
  const end = performance.now() + GONE_TIMEOUT_MS;
  while (existsSync(join(work, 'control'))) {
    if (performance.now() > end) throw new Error('teu-union does not end');
    await delay(POLL_MS);
  }
}
