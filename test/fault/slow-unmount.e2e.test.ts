import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  busyboxImageTar,
  loopFilesystem,
  patient,
  requires,
  runProgram,
  startService,
  startTeu,
  waitFor,
  type LoopFilesystem,
  type TestTeu,
} from '@teu/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

// Unmounting the root of a container writes out what its disk still owes, however long that takes: here
// until somebody thaws the disk below. Nobody who asked for something else may wait for that.
const DISK_BYTES = 256 * 1024 * 1024;
const PROMPT_MS = patient(15_000);
/** Six of these in a row, and what is done around them. */
const TEST_MS = patient(120_000);
const OUTPUT_BYTES = 24 * 1024 * 1024;

describe.runIf(requires('root', 'loop', 'mkfs.ext4'))('with a disk that stands still', () => {
  let outer: LoopFilesystem;
  let teu: TestTeu;
  const cleanUp = new AsyncDisposableStack();
  beforeAll(async () => {
    outer = await loopFilesystem(2 * DISK_BYTES);
    cleanUp.defer(() => outer.remove());
    // A disk in a file on a disk: to freeze the outer one is to have the inner one not answer.
    const inner = join(outer.path, 'inner');
    const layers = join(outer.path, 'mounted');
    mkdirSync(layers);
    writeFileSync(inner, '');
    truncateSync(inner, DISK_BYTES);
    // Without a journal, which would make writers wait too.
    await succeed('mkfs.ext4', '-q', '-O', '^has_journal', inner);
    await succeed('mount', '-o', 'loop', inner, layers);
    cleanUp.defer(() => succeed('umount', layers));
    teu = await startTeu();
    cleanUp.defer(() => teu.stop());
    const root = { TEU_STORAGE_ROOT: join(layers, 'driver') };
    const driver = await startService('overlay2', { env: root });
    cleanUp.defer(() => driver.stop());
    await done('driver', 'add', 'still', driver.address);
    await done('load', '-i', await busyboxImageTar(), '--storage-driver', 'still');
  });

  const done = async (...args: string[]): Promise<string> => {
    const { code, stdout, stderr } = await teu.teu(args);
    expect(code, stderr).toBe(0);
    return stdout;
  };
  afterAll(() => cleanUp.disposeAsync());

  /** Where /proc shows the supervisor of a running container, the parent of its first process. */
  const supervisorOf = async (name: string): Promise<string> => {
    const { stdout } = await teu.teu(['inspect', name]);
    const [container] = JSON.parse(stdout) as { pid: number }[];
    const status = readFileSync(`/proc/${String(container?.pid)}/status`, 'utf8');
    return `/proc/${/^PPid:\s*(\d+)$/m.exec(status)?.[1] ?? ''}`;
  };

  // Written while the disk stands still, so that nobody has brought it there before.
  const dirty = 'head -c 8m /dev/zero > /big';

  test('stop and wait answer before the root is unmounted', { timeout: TEST_MS }, async () => {
    const place = ['--name', 'still', '--storage-driver', 'still', 'busybox'];
    await done('run', '-d', ...place, 'sh', '-c', 'echo ready; sleep 1000');
    await waitFor(async () => (await teu.teu(['logs', 'still'])).stdout === 'ready\n');
    const supervisor = await supervisorOf('still');
    await frozen(outer.path, async () => {
      await promptly(() => done('exec', 'still', 'sh', '-c', dirty));
      await promptly(() => done('stop', '-t', '0', 'still'));
      expect(await promptly(() => done('wait', 'still'))).toBe('137\n');
      await promptly(() => done('rm', 'still'));
      // The proof that it was not quick by itself.
      expect(existsSync(supervisor)).toBe(true);
    });
    await waitFor(() => !existsSync(supervisor));
  });

  test('run gives all of the output and the exit code', { timeout: TEST_MS }, async () => {
    const script = `echo ready; read go; ${dirty}; head -c ${String(OUTPUT_BYTES)} /dev/zero; exit 7`;
    const run = ['run', '--rm', '-i', '--storage-driver', 'still', 'busybox', 'sh', '-c', script];
    const child = spawn(teu.bin, run, { env: teu.env, stdio: ['pipe', 'pipe', 'inherit'] });
    let bytes = 0;
    child.stdout.on('data', (chunk: Buffer) => (bytes += chunk.length));
    await waitFor(() => bytes > 0);
    await frozen(outer.path, async () => {
      child.stdin.write('go\n');
      expect(await promptly(() => once(child, 'close'))).toEqual([7, null]);
      expect(bytes).toBe('ready\n'.length + OUTPUT_BYTES);
    });
  });
});

/** Does something while nothing can be written to a file system; it thaws also if this process dies. */
async function frozen(path: string, work: () => Promise<void>): Promise<void> {
  const script = 'fsfreeze --freeze "$1" && echo frozen && cat; fsfreeze --unfreeze "$1"';
  const guard = spawn('sh', ['-c', script, 'sh', path], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(guard, 'close');
  await once(guard.stdout, 'data');
  try {
    await work();
  } finally {
    guard.stdin.end();
    await ended;
  }
}

/** Gives up by itself, so that the disk thaws whatever happens. */
async function promptly<T>(work: () => Promise<T>): Promise<T> {
  const late = AbortSignal.timeout(PROMPT_MS);
  const given = once(late, 'abort').then(() => Promise.reject(new Error('no prompt answer')));
  return Promise.race([work(), given]);
}

async function succeed(program: string, ...args: string[]): Promise<void> {
  const { code, stderr } = await runProgram(program, args);
  if (code !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
}
