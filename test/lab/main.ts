import { writeSync } from 'node:fs';
import process from 'node:process';
import { parseLabArguments, USAGE } from './arguments.js';
import { guestEnvironment } from './guest-environment.js';
import { LabFailure } from './lab-failure.js';
import type { MachineEnd } from './machine.js';
import { runMachine } from './run-machine.js';
import { runTests } from './run-tests.js';

const EXIT_TIME_LIMIT = 124;
const EXIT_NO_MACHINE = 125;

async function runLab(argv: readonly string[]): Promise<number> {
  const { machine, words, help, test, testName, results } = parseLabArguments(argv);
  if (help) {
    process.stdout.write(USAGE);
    return 0;
  }
  if (process.getuid?.() !== 0) throw new LabFailure('this needs root: it mounts');
  const options = {
    ...machine,
    environment: { ...guestEnvironment(), ...machine.environment },
    onOutput: (stream: 'stdout' | 'stderr', data: Buffer) => void process[stream].write(data),
  };
  const end = test
    ? await runTests({ paths: words, name: testName, results }, options)
    : await runMachine({ ...options, command: words, directory: process.cwd() });
  return exitCodeOf(end, machine.timeLimitSeconds);
}

function exitCodeOf(end: MachineEnd, limit: number): number {
  switch (end.kind) {
    case 'status':
      return end.code;
    case 'time limit':
      complain(`the time limit of ${limit} s is reached`);
      return EXIT_TIME_LIMIT;
    case 'power cut':
      complain('the machine was killed');
      return EXIT_NO_MACHINE;
    case 'died':
      complain(end.reason);
      return EXIT_NO_MACHINE;
  }
}

function complain(text: string): void {
  writeSync(process.stderr.fd, `lab: ${text}\n`);
}

try {
  process.exitCode = await runLab(process.argv.slice(2));
} catch (error) {
  complain(error instanceof LabFailure ? error.message : String((error as Error).stack));
  process.exitCode = EXIT_NO_MACHINE;
}
