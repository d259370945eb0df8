import { spawn, type ChildProcess } from 'node:child_process';
import { basename } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { collect, collectAnswer, ended, withoutAnswer } from './worker-process.js';

/** Descriptor that such a program writes to. */
export const OUTPUT_FD = 3;
/** The first of the descriptors that it is given beside. */
export const FIRST_FILE_FD = 4;
/** How much is written between two lines of progress. */
export const PROGRESS_BYTES = 16 * 1024 * 1024;

/** A short-lived program that writes a tar to OUTPUT_FD and says in its last line what it wrote. */
export interface TarProgram<T> {
  readonly binary: string;
  readonly args: readonly string[];
  readonly signal: AbortSignal;
  /** Open files, as its descriptors from FIRST_FILE_FD on. */
  readonly files?: readonly number[];
  /** What it reads. */
  readonly input?: () => Iterable<Buffer>;
  /**
   * Reads its last line; undefined if that is no answer.
   * @throws What the answer says has failed
   */
  readonly parse: (answer: string) => T | undefined;
}

/** Has a tar written to an open file. */
export function writeTar<T>(
  program: TarProgram<T>,
  fd: number,
  progress: (bytes: number) => void = () => undefined,
): Promise<T> {
  return finish(start(program, fd), program, progress);
}

/** Gives the bytes of a tar as they are asked for. What ends without error is whole. */
export async function* streamTar<T>(
  program: TarProgram<T>,
): AsyncGenerator<Buffer, void, undefined> {
  const child = start(program, 'pipe');
  const finished = finish(child, program, () => undefined);
  // Looked at below; the reader may stop before.
  finished.catch(() => undefined);
  try {
    yield* child.stdio[OUTPUT_FD] as Readable as AsyncIterable<Buffer>;
    await finished;
  } finally {
    child.kill('SIGKILL');
    // It lets go of the tree before anybody goes on to remove it.
    await finished.catch(() => undefined);
  }
}

function start<T>(program: TarProgram<T>, output: number | 'pipe'): ChildProcess {
  const { binary, args, signal, files = [], input } = program;
  signal.throwIfAborted();
  return spawn(binary, args, {
    env: {},
    cwd: '/',
    stdio: [input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe', output, ...files],
  });
}

async function finish<T>(
  child: ChildProcess,
  { binary, signal, input, parse }: TarProgram<T>,
  progress: (bytes: number) => void,
): Promise<T> {
  const kill = (): void => void child.kill('SIGKILL');
  signal.addEventListener('abort', kill, { once: true });
  try {
    const [answer, complaint, end] = await Promise.all([
      collectAnswer(child.stdout, progress),
      collect(child.stderr),
      ended(child),
      input === undefined ? undefined : write(child, input()),
    ]);
    signal.throwIfAborted();
    const result = parse(answer);
    if (end.code === 0 && result !== undefined) return result;
    throw withoutAnswer(basename(binary), end, complaint);
  } finally {
    signal.removeEventListener('abort', kill);
  }
}

/** A program that has failed stops reading; its answer says why. */
async function write(child: ChildProcess, input: Iterable<Buffer>): Promise<void> {
  if (child.stdin === null) return;
  await pipeline(Readable.from(input), child.stdin).catch(() => undefined);
}
