import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { debianRootfsTar } from '@teu/testing';
import { containerd } from './containerd.js';
import type { Contender } from './contender.js';
import { docker } from './docker.js';
import { freeVersion2OfControllers } from './hybrid-cgroups.js';
import { measure } from './measure.js';
import { ociRuntime } from './oci-runtime.js';
import { podman } from './podman.js';
import { capture, installPackages, unmountBelow } from '../harness/process.js';
import { memoryReport, timeReport, traceReport } from './report.js';
import { teu } from './teu.js';
import { mkdirSync } from 'node:fs';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '30' },
    only: { type: 'string', default: '' },
    'no-memory': { type: 'boolean', default: false },
  },
});
const rounds = Number(values.rounds);
if (!Number.isInteger(rounds) || rounds < 1)
  throw new Error('--rounds takes a whole number from 1');
const only = values.only === '' ? undefined : new Set(values.only.split(','));
const wanted = (name: string) => only === undefined || only.has(name);

const print = (text: string) => process.stdout.write(`${text}\n`);

installPackages(['docker.io', 'containerd', 'podman', 'runc', 'crun', 'skopeo', 'umoci']);
const directory = mkdtempSync(join(tmpdir(), 'teu-bench-'));
const rootfsTar = await debianRootfsTar();
const rootfs = join(directory, 'rootfs');
mkdirSync(rootfs);
capture('tar', ['-xf', rootfsTar, '-C', rootfs]);

// Before TEU starts, which would use what crun wants to be free.
const restoreCgroups = freeVersion2OfControllers();
const own = await teu(rootfsTar);
const contenders: Contender[] = own.contenders.filter((contender) => wanted(contender.name));
const peers: [string, () => Promise<Contender>][] = [
  ['docker', () => docker(join(directory, 'docker'), rootfsTar)],
  ['podman', () => podman(join(directory, 'podman'), rootfsTar)],
  ['ctr', async () => containerd(join(directory, 'containerd'), ociArchive())],
  ['runc', () => ociRuntime('runc', join(directory, 'runc'), rootfs)],
  ['crun', () => ociRuntime('crun', join(directory, 'crun'), rootfs)],
];

/** The same root file system as an OCI archive, for peers that take nothing else. */
function ociArchive(): string {
  const layout = join(directory, 'layout');
  capture('umoci', ['init', '--layout', layout]);
  capture('umoci', ['new', '--image', `${layout}:bench`]);
  capture('umoci', ['raw', 'add-layer', '--image', `${layout}:bench`, rootfsTar]);
  const archive = join(directory, 'image.tar');
  capture('tar', ['-cf', archive, '-C', layout, '.']);
  return archive;
}

try {
  for (const [name, prepare] of peers.filter(([peer]) => wanted(peer))) {
    print(`preparing ${name}`);
    try {
      const contender = await prepare();
      // A peer that cannot run here at all is named with its reason, not left out silently.
      await contender.run();
      contenders.push(contender);
    } catch (error) {
      print(`${name} does not run here: ${error instanceof Error ? error.message : String(error)}`);
    }
  }
  print(`measuring ${String(rounds)} rounds\n`);
  const samples = await measure(contenders, rounds);
  print(timeReport(contenders, samples));
  print(`\n${traceReport(own.traces)}`);
  if (!values['no-memory']) print(`\n${await memoryReport(contenders)}`);
} finally {
  for (const contender of contenders) {
    await contender.close().catch((error: unknown) => {
      print(`closing ${contender.name}: ${String(error)}`);
    });
  }
  await own.close();
  restoreCgroups();
  unmountBelow(directory);
  rmSync(directory, { recursive: true, force: true });
}
