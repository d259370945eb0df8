import { debianRootfsTar } from '@teu/testing';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { installPackages, unmountBelow } from '../harness/process.js';
import { containerdSnapshotter } from './containerd-snapshotter.js';
import { makeFilesystem } from '../harness/filesystem.js';
import { makeZfs } from './zfs-filesystem.js';
import { measureFiveThings } from './five-things.js';
import { deviceMapperSubject, hasDeviceMapper, measureInLab } from './in-lab.js';
import { measureLatency } from './latency.js';
import { ownDriver } from './own-driver.js';
import type { Subject } from './subject.js';
import { makeBases, measureUpgrade, upgradeTable } from './upgrade-effect.js';
import { UPGRADE_PLACES } from './upgrade-subjects.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '50' },
    counts: { type: 'string', default: '1,100,1000,10000' },
    only: { type: 'string', default: '' },
    'no-latency': { type: 'boolean', default: false },
    'no-sharing': { type: 'boolean', default: false },
    'no-upgrade': { type: 'boolean', default: false },
  },
});
const wanted = values.only === '' ? undefined : new Set(values.only.split(','));
const print = (text: string) => process.stdout.write(`${text}\n`);

const isLab = wanted?.has('devicemapper') === true && existsSync('/run/lab');
if (!isLab) installPackages(['containerd', 'btrfs-progs', 'zfs-fuse', 'e2fsprogs']);
const directory = mkdtempSync(join(tmpdir(), 'teu-bench-'));
const work = join(directory, 'work');
mkdirSync(work);
const on = (name: string, type: 'ext4' | 'btrfs') => makeFilesystem(join(directory, name), type);

const makers: readonly [string, () => Promise<Subject>][] = [
  ['overlay2', () => ownDriver('overlay2', on('overlay2', 'ext4'))],
  ['aufs', () => ownDriver('aufs', on('aufs', 'ext4'))],
  ['vfs', () => ownDriver('vfs', on('vfs', 'ext4'))],
  ['btrfs', () => ownDriver('btrfs', on('btrfs', 'btrfs'))],
  [
    'zfs',
    async () => {
      const pool = await makeZfs(join(directory, 'zfs'));
      return ownDriver('zfs', pool, ['--zfs-dataset', pool.dataset]);
    },
  ],
  ['overlayfs', () => containerdSnapshotter('overlayfs', on('overlayfs', 'ext4'))],
  ['native', () => containerdSnapshotter('native', on('native', 'ext4'))],
];

const subjects: Subject[] = [];
try {
  if (isLab) subjects.push(await deviceMapperSubject(join(directory, 'devicemapper')));
  for (const [name, make] of makers.filter(([name]) => wanted?.has(name) ?? true)) {
    print(`preparing ${name}`);
    subjects.push(await make());
  }
  if (!values['no-latency'] && subjects.length > 0) {
    const counts = values.counts.split(',').map(Number);
    print(`\n${await measureLatency(subjects, counts, Number(values.rounds), work)}`);
  }
  if (!values['no-sharing'] && subjects.length > 0) {
    const tar = await debianRootfsTar();
    print(`\n${await measureFiveThings(subjects, tar, Number(values.rounds), work)}`);
  }
  if (!values['no-upgrade']) {
    const bases = await makeBases(await debianRootfsTar(), directory);
    const figures = [];
    for (const [name, place] of Object.entries(UPGRADE_PLACES)) {
      if (wanted?.has(name) === false) continue;
      const { subject, filesystem } = await place(join(directory, `upgrade-${name}`));
      figures.push(await measureUpgrade(subject, bases));
      await filesystem.close();
    }
    if (figures.length > 0) print(`\n${upgradeTable(figures)}`);
  }
} finally {
  for (const subject of subjects) {
    await subject.close().catch((error: unknown) => {
      print(`closing ${subject.name}: ${String(error)}`);
    });
  }
  unmountBelow(directory);
  rmSync(directory, { recursive: true, force: true });
}
if (!isLab && !hasDeviceMapper() && (wanted?.has('devicemapper') ?? true)) {
  print(
    '\ndevicemapper, in the kernel lab: an emulated processor, so its times are not those of the others',
  );
  measureInLab();
}
