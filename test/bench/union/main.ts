import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { capture, installPackages, unmountBelow } from '../harness/process.js';
import { median, table } from '../harness/statistics.js';
import { makeLayers, UNIONS, unmount } from './unions.js';
import { prepare, WORK } from './work.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '5' },
    only: { type: 'string', default: '' },
  },
});
const wanted = values.only === '' ? undefined : new Set(values.only.split(','));
const unions = UNIONS.filter(({ name }) => wanted?.has(name) ?? true);
const samples = new Map<string, number[]>();
const samplesOf = (name: string, work: string): number[] => {
  const key = `${name}\n${work}`;
  const known = samples.get(key) ?? [];
  samples.set(key, known);
  return known;
};

installPackages(['fuse3', 'unionfs-fuse', 'fuse-overlayfs']);
const directory = mkdtempSync(join(tmpdir(), 'teu-bench-'));
const memory = join(directory, 'memory');
mkdirSync(memory);
// In memory, so that the disk is not what is measured.
capture('mount', ['-t', 'tmpfs', 'none', memory]);
try {
  for (let round = 0; round < Number(values.rounds); ++round) {
    // In turns, so that whatever else the machine does falls on all of them.
    for (const union of unions) {
      const layers = makeLayers(join(memory, union.name));
      prepare(layers);
      union.mount(layers);
      for (const [work, run] of WORK) {
        const begun = performance.now();
        run(layers.mounted);
        samplesOf(union.name, work).push(performance.now() - begun);
      }
      await unmount(layers);
      rmSync(join(memory, union.name), { recursive: true });
    }
  }
} finally {
  unmountBelow(directory);
  rmSync(directory, { recursive: true, force: true });
}

const rows = WORK.map(([work]) => {
  const first = median(samplesOf(unions[0]?.name ?? '', work));
  return [
    work,
    ...unions.map(({ name }) => {
      const value = median(samplesOf(name, work));
      return `${value.toFixed(0)} ms  x${(value / first).toFixed(1)}`;
    }),
  ];
});
process.stdout.write(`${table([['medians', ...unions.map(({ name }) => name)], ...rows])}\n`);
