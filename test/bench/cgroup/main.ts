import { mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { startTeu, type TestTeu } from '@teu/testing';
import { installPackages, unmountBelow } from '../harness/process.js';
import { besideDockerReport } from './beside-docker.js';
import { creationReport } from './creation.js';
import { ledgerReport } from './ledger-error.js';
import { looksReport } from './looks.js';
import { METRICS_ARGS } from './metrics.js';
import { samplingReport } from './sampling.js';

const { values } = parseArgs({
  options: {
    rounds: { type: 'string', default: '500' },
    containers: { type: 'string', default: '1000' },
    beside: { type: 'string', default: '100' },
    seconds: { type: 'string', default: '20' },
    only: { type: 'string', default: '' },
  },
});

function wholeNumber(option: 'rounds' | 'containers' | 'beside' | 'seconds'): number {
  const value = Number(values[option]);
  if (Number.isInteger(value) && value >= 1) return value;
  throw new Error(`--${option} takes a whole number from 1`);
}

const rounds = wholeNumber('rounds');
const containers = wholeNumber('containers');
const beside = wholeNumber('beside');
const seconds = wholeNumber('seconds');
/** Of each work of known size. */
const LEDGER_ROUNDS = 5;

// Not in memory: what is read and written directly has to reach a disk.
const directory = mkdtempSync('/var/tmp/teu-bench-');
const parts: Readonly<Record<string, (engine: TestTeu) => Promise<string>>> = {
  create: (engine) => creationReport(engine, rounds),
  sample: (engine) => samplingReport(engine, containers, seconds),
  looks: (engine) => looksReport(engine, containers, seconds),
  ledger: (engine) => ledgerReport(engine, directory, LEDGER_ROUNDS),
  docker: (engine) => besideDockerReport(engine, join(directory, 'docker'), beside, seconds),
};
const wanted = values.only === '' ? Object.keys(parts) : values.only.split(',');
const print = (text: string) => process.stdout.write(`${text}\n\n`);

if (wanted.includes('docker'))
  installPackages(['docker.io', 'containerd', 'runc', 'busybox-static']);
try {
  for (const name of wanted) {
    const part = parts[name];
    if (part === undefined) throw new Error(`--only takes ${Object.keys(parts).join(', ')}`);
    // An engine of its own for each, so that none has the others' files open.
    const engine = await startTeu({ args: METRICS_ARGS });
    try {
      print(await part(engine));
    } finally {
      await engine.stop();
    }
  }
} finally {
  unmountBelow(directory);
  rmSync(directory, { recursive: true, force: true });
}
