import { realpathSync, statSync } from 'node:fs';
import { resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { CACHE_MODES, type CacheMode, type Disk } from './disk.js';
import { LabFailure } from './lab-failure.js';
import type { MachineOptions } from './machine.js';
import { parseSize } from './size.js';

export const USAGE = `usage: npm run lab -- [OPTIONS] COMMAND [ARGUMENT ...]
       npm run lab -- [OPTIONS] --test [PATH ...]

Runs a command, or tests, in a virtual machine with Debian's own kernel. The machine sees this host's files,
read-only under a layer in memory, and has an empty disk /dev/vda.

  --time-limit SECONDS      then the machine is ended, with exit code 124 (default 600)
  --memory SIZE             default 2g
  --cpus NUMBER             default 2
  --scratch SIZE            of /dev/vda, default 8g
  --disk FILE:SIZE[:CACHE]  a disk that stays: /dev/vdb, and so on. CACHE is one of QEMU's modes, default writeback
  --writable DIRECTORY      this host's own directory, which the machine may write to
  --env NAME=VALUE
  --test                    what follows names tests: *.lab.test.ts below a path (all without one), or any test file
  --test-name PATTERN       of those only tests of such a name
  --results FILE            vitest's results as JSON
  --help

Exit codes: the command's; 124 time limit; 125 the machine could not be set up, or has died.
`;

const OPTIONS = {
  'time-limit': { type: 'string', default: '600' },
  memory: { type: 'string', default: '2g' },
  cpus: { type: 'string', default: '2' },
  scratch: { type: 'string', default: '8g' },
  disk: { type: 'string', multiple: true },
  writable: { type: 'string', multiple: true },
  env: { type: 'string', multiple: true },
  test: { type: 'boolean', default: false },
  'test-name': { type: 'string' },
  results: { type: 'string' },
  help: { type: 'boolean', default: false },
} as const;

/** What a command line asks for. */
export interface LabArguments {
  readonly machine: Omit<MachineOptions, 'command' | 'directory' | 'onOutput'>;
  /** The command, or the paths of tests. */
  readonly words: readonly string[];
  readonly help: boolean;
  readonly test: boolean;
  readonly testName: string | undefined;
  readonly results: string | undefined;
}

/** @throws LabFailure naming what is wrong */
export function parseLabArguments(argv: readonly string[]): LabArguments {
  const { own, words } = splitAtCommand(argv);
  const { values } = parseOwn(own);
  const { test, help } = values;
  if (!help && !test && words.length === 0) throw new LabFailure('no command is given');
  if (!test && (values['test-name'] ?? values.results) !== undefined) {
    throw new LabFailure('--test-name and --results need --test');
  }
  return {
    machine: {
      timeLimitSeconds: wholeNumber('--time-limit', values['time-limit'], 86_400),
      memoryMebibytes: Math.ceil(size('--memory', values.memory) / 2 ** 20),
      cpus: wholeNumber('--cpus', values.cpus, 64),
      scratchBytes: size('--scratch', values.scratch),
      disks: (values.disk ?? []).map(disk),
      writable: (values.writable ?? []).map(directory),
      environment: Object.fromEntries((values.env ?? []).map(variable)),
    },
    words,
    help,
    test,
    testName: values['test-name'],
    results: values.results,
  };
}

/** Options end at the first word that is none: what follows belongs to the command. */
function splitAtCommand(argv: readonly string[]): { own: string[]; words: string[] } {
  let index = 0;
  while (index < argv.length) {
    const word = argv[index] ?? '';
    if (word === '--') return { own: argv.slice(0, index), words: argv.slice(index + 1) };
    if (!word.startsWith('-')) break;
    const option = OPTIONS[word.slice(2) as keyof typeof OPTIONS] as { type: string } | undefined;
    index += option?.type === 'string' ? 2 : 1;
  }
  return { own: argv.slice(0, index), words: argv.slice(index) };
}

function parseOwn(own: string[]) {
  try {
    return parseArgs({ args: own, options: OPTIONS, strict: true, allowPositionals: false });
  } catch (error) {
    throw new LabFailure((error as Error).message);
  }
}

function wholeNumber(option: string, text: string, max: number): number {
  const value = Number(text);
  if (/^[1-9]\d*$/.test(text) && value <= max) return value;
  throw new LabFailure(`${option} is "${text}"; it must be a whole number from 1 to ${max}`);
}

function size(option: string, text: string): number {
  const bytes = parseSize(text);
  if (bytes !== undefined) return bytes;
  throw new LabFailure(`${option} is "${text}"; it must be a size such as 512m or 8g`);
}

function disk(text: string): Disk {
  const [file = '', bytes = '', cache = 'writeback', ...rest] = text.split(':');
  if (file === '' || rest.length > 0) {
    throw new LabFailure(`--disk is "${text}"; it must be FILE:SIZE or FILE:SIZE:CACHE`);
  }
  if (!isCacheMode(cache)) {
    throw new LabFailure(`--disk has the cache "${cache}"; there are ${CACHE_MODES.join(', ')}`);
  }
  return { file: resolve(file), bytes: size('--disk', bytes), cache };
}

function isCacheMode(text: string): text is CacheMode {
  return (CACHE_MODES as readonly string[]).includes(text);
}

function directory(text: string): string {
  const found = statSync(text, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) throw new LabFailure(`--writable: no directory "${text}"`);
  return realpathSync(text);
}

function variable(text: string): [string, string] {
  const match = /^([A-Za-z_]\w*)=(.*)$/s.exec(text);
  if (match === null) throw new LabFailure(`--env is "${text}"; it must be NAME=VALUE`);
  return [match[1] ?? '', match[2] ?? ''];
}
