import { spawn } from 'node:child_process';
import { UnionError } from '../union-backend.js';

/** Most of what a program says about a failure that is kept. */
const COMPLAINT_BYTES = 16 * 1024;

/** How a run of the program can be set up. */
export interface ProgramRun {
  readonly timeoutMs: number;
  /** A line of its output that ends the wait, while the program goes on. */
  readonly until?: string;
}

/**
 * Runs teu-union (native/src/union) and gives what it wrote to standard output. What it leaves running
 * when it mounts does not hold its output open for this process: only its own end is waited for.
 *
 * @throws UnionError with the errno that it tells, "EPROTO" if it tells none; "ETIMEDOUT", and then it
 *   was killed
 */
export function runUnion(
  program: string,
  args: readonly string[],
  { timeoutMs, until }: ProgramRun,
): Promise<string> {
  const { promise, resolve, reject } = Promise.withResolvers<string>();
  const what = `teu-union ${args[0] ?? ''}`;
  const child = spawn(program, args, {
    env: {},
    cwd: '/',
    stdio: ['ignore', 'pipe', 'pipe'],
    // Signals of a terminal are for the driver: what is mounted outlives it.
    detached: true,
  });
  let [output, complaint] = ['', ''];
  const settle = (): void => {
    clearTimeout(timer);
    child.stdout.destroy();
    child.stderr.destroy();
  };
  const timer = setTimeout(() => {
    child.kill('SIGKILL');
    reject(new UnionError('ETIMEDOUT', what));
    settle();
  }, timeoutMs);
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    output += text;
    if (until === undefined || !output.split('\n').includes(until)) return;
    resolve(output);
    settle();
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-COMPLAINT_BYTES);
  });
  child.on('error', (error: NodeJS.ErrnoException) => {
    reject(new UnionError(error.code ?? 'EIO', what, { cause: error }));
    settle();
  });
  // With its end come the last of its words.
  child.on('close', (code, signal) => {
    if (code === 0 && until === undefined) resolve(output);
    else reject(failureOf(what, complaint, `ended with ${signal ?? code ?? 'nothing'}`));
    settle();
  });
  return promise;
}

/** The failure is its last line, one of JSON. */
function failureOf(what: string, complaint: string, end: string): UnionError {
  try {
    const line = complaint.trimEnd().split('\n').at(-1) ?? '';
    const told = JSON.parse(line) as Partial<Record<'errnoName' | 'step' | 'message', string>>;
    return new UnionError(told.errnoName ?? 'EPROTO', `${what}: ${told.step ?? ''}`, {
      cause: line,
    });
  } catch {
    return new UnionError('EPROTO', `${what} ${end}`, { cause: complaint });
  }
}
