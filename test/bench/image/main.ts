import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { makeFilesystem } from '../harness/filesystem.js';
import { capture, installPackages, unmountBelow } from '../harness/process.js';
import { containerd } from './containerd.js';
import type { ImageContender } from './contender.js';
import { docker } from './docker.js';
import { makeFixture, type ImageFixture } from './fixture.js';
import { gnuTar } from './gnu-tar.js';
import { measureRound, type Sample } from './measure.js';
import { podman } from './podman.js';
import { startRegistry } from './registry.js';
import { timeReport } from './report.js';
import { skopeoUmoci } from './skopeo-umoci.js';
import { teu } from './teu.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '3' },
    files: { type: 'string', default: '34000' },
    megabytes: { type: 'string', default: '1400' },
    only: { type: 'string', default: '' },
    operations: { type: 'string', default: '' },
  },
});
const whole = (name: 'rounds' | 'files' | 'megabytes'): number => {
  const value = Number(values[name]);
  if (Number.isInteger(value) && value > 0) return value;
  throw new Error(`--${name} takes a whole number from 1`);
};
const rounds = whole('rounds');
const size = { files: whole('files'), bytes: whole('megabytes') * 1e6 };
const listed = (list: string) => (name: string) => list === '' || list.split(',').includes(name);
const print = (text: string) => process.stdout.write(`${text}\n`);

installPackages([
  ...['docker.io', 'containerd', 'podman', 'runc', 'skopeo', 'umoci', 'docker-registry'],
  ...['zstd', 'tar', 'gzip'],
]);
const directory = mkdtempSync(join(tmpdir(), 'b-'));
const fixtures = makeFilesystem(join(directory, 'f'), 'ext4');
const samples: Sample[] = [];
const refused = new Set<string>();
try {
  print(`making an image of ${String(size.files)} files and ${values.megabytes} MB`);
  const fixture = await makeFixture(fixtures.path, size);
  const contenders = [teu, docker, podman, containerd, skopeoUmoci, gnuTar(fixture)];
  await measureAll(
    contenders.filter(({ name }) => listed(values.only)(name)),
    fixture,
  );
} catch (error) {
  print(error instanceof Error ? (error.stack ?? error.message) : String(error));
  process.exitCode = 1;
} finally {
  unmountBelow(directory);
  rmSync(directory, { recursive: true, force: true });
}

async function measureAll(contenders: ImageContender[], fixture: ImageFixture): Promise<void> {
  const registry = await startRegistry(join(fixtures.path, 'registry'));
  try {
    const remoteName = `${registry.host}/bench:latest`;
    const source = `oci-archive:${fixture.archive('gzip')}`;
    const flags = ['--insecure-policy', 'copy', '-q', '--dest-tls-verify=false'];
    capture('skopeo', [...flags, source, `docker://${remoteName}`]);
    for (let round = 0; round < rounds; round += 1) {
      print(`round ${String(round + 1)} of ${String(rounds)}`);
      // In another order each time, so that nobody profits from its place.
      for (let index = 0; index < contenders.length; index += 1) {
        const contender = contenders[(index + round) % contenders.length];
        if (contender) await measureRound(contender, { ...roundInput(fixture), remoteName });
      }
    }
  } finally {
    await registry.close();
  }
  print(`\n${timeReport(contenders, samples)}`);
  for (const { name, how } of contenders) print(`\n${name}: ${how}`);
}

function roundInput(fixture: ImageFixture) {
  return {
    directory,
    fixture,
    wanted: listed(values.operations),
    report: (sample: Sample) => {
      samples.push(sample);
      const { contender, operation, answerMs, syncMs } = sample;
      print(
        `  ${contender}: ${operation} ${(answerMs / 1000).toFixed(2)} + ${(syncMs / 1000).toFixed(2)} s`,
      );
    },
    // Who cannot do something is named with the reason, once, and not left out silently.
    failed: (contender: string, operation: string, error: unknown) => {
      const text = error instanceof Error ? error.message : String(error);
      if (refused.has(`${contender} ${operation}`)) return;
      refused.add(`${contender} ${operation}`);
      print(`  ${contender} cannot ${operation} here: ${text.slice(-400)}`);
    },
  };
}
