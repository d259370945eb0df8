import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { patient } from './patience.js';

/** How a program ended and what it wrote. */
export interface ProgramResult {
  /** Exit code; 128 + signal number if a signal ended it, as in a shell. */
  code: number;
  stdout: string;
  stderr: string;
}

/** What `runProgram` takes besides program and arguments. */
export interface RunOptions {
  env?: NodeJS.ProcessEnv;
  /** Directory it runs in; that of the tests if not given. */
  cwd?: string;
  /** Written to its standard input, which is then closed; none if not given. */
  stdin?: string | Uint8Array;
  /** Milliseconds until it is killed; 50 000 if not given: before the test ends, so that what failed has a name. */
  timeoutMs?: number;
}

/** Runs a program to its end. @throws Error if it cannot be started or does not end in time */
export function runProgram(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<ProgramResult> {
  const { cwd, env, stdin } = options;
  const timeoutMs = patient(options.timeoutMs ?? 50_000);
  const child = spawn(program, args, {
    stdio: [stdin === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    ...(env && { env }),
    ...(cwd !== undefined && { cwd }),
  });
  const stdout: Buffer[] = [];
  const stderr: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => stdout.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => stderr.push(chunk));
  // A program that does not read its input is no error of the test.
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(stdin);
  return new Promise((resolve, reject) => {
    const command = [program, ...args].join(' ');
    const timer = setTimeout(() => {
      child.kill('SIGKILL');
      const said = `${textOf(stdout)}${textOf(stderr)}`;
      reject(new Error(`"${command}" has not ended in ${timeoutMs} ms; it said: ${said}`));
    }, timeoutMs);
    child.once('error', (cause) => {
      clearTimeout(timer);
      reject(new Error(`"${command}" cannot be started`, { cause }));
    });
    child.once('close', (code, signal) => {
      clearTimeout(timer);
      const number = signal === null ? 0 : 128 + signalNumber(signal);
      resolve({ code: code ?? number, stdout: textOf(stdout), stderr: textOf(stderr) });
    });
  });
}

function textOf(chunks: Buffer[]): string {
  return Buffer.concat(chunks).toString('utf8');
}

function signalNumber(signal: NodeJS.Signals): number {
  return constants.signals[signal];
}
