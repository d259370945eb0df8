import { installRoot } from '@teu/config';
import { requires, runProgram, tempDir, waitFor, type TempDir } from '@teu/testing';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';

/** A machine takes six seconds to boot here, and several times that beside other work. */
const BOOT_MS = 480_000;
const root = installRoot();
const program = join(root, 'tools/lab.mjs');

describe.runIf(requires('root'))('the lab', { timeout: BOOT_MS }, () => {
  let directory: TempDir;
  beforeEach(() => {
    directory = tempDir();
  });
  afterEach(async () => {
    try {
      await waitFor(() => leftBehind(directory.path).length === 0).catch(() => undefined);
      expect(leftBehind(directory.path)).toEqual([]);
    } finally {
      directory.remove();
    }
  });

  const environment = () => ({ ...process.env, TMPDIR: directory.path });
  const lab = (...words: string[]) =>
    runProgram(process.execPath, [program, ...words], { env: environment(), timeoutMs: BOOT_MS });
  const startLab = (...words: string[]): ChildProcess =>
    spawn(process.execPath, [program, ...words], { stdio: 'ignore', env: environment() });

  test('brings back output and exit status of a command, and what it may write', async () => {
    using writable = tempDir();
    const script = [
      'echo to-stdout; echo to-stderr >&2; pwd; echo "$WORD"',
      'uname -r | grep -c +deb12-cloud',
      `echo kept > ${writable.path}/file`,
      'touch package.json; cat /sys/block/vda/size; exit 7',
    ].join('\n');
    const options = ['--scratch', '1m', '--env', 'WORD=it\'s "$HOME"', '--writable', writable.path];
    const result = await lab(...options, '--', 'sh', '-c', script);
    expect(result.stdout).toBe(`to-stdout\n${process.cwd()}\nit's "$HOME"\n1\n2048\n`);
    expect(result.stderr).toMatch(/^to-stderr\ntouch: .*Read-only file system\n$/);
    expect(result.code).toBe(7);
    expect(readFileSync(join(writable.path, 'file'), 'utf8')).toBe('kept\n');
  });

  test('tells which tests passed, failed and were skipped', async () => {
    const place = join(root, 'dist/lab', `probe-${process.pid}`);
    const results = join(directory.path, 'results.json');
    mkdirSync(place, { recursive: true });
    try {
      const file = join(place, 'probe.test.ts');
      writeFileSync(
        file,
        `import { release } from 'node:os';
         import { expect, test } from 'vitest';
         test('passes', () => expect(release()).toContain('cloud'));
         test('fails', () => expect(release()).toBe('another'));
         test.runIf(release() === 'another')('is skipped', () => undefined);`,
      );
      const { code, stdout } = await lab('--results', results, '--test', file);
      expect(code).toBe(1);
      expect(stdout).toContain('fails');
      const found = JSON.parse(readFileSync(results, 'utf8')) as Record<string, unknown>;
      expect(found).toMatchObject({ numPassedTests: 1, numFailedTests: 1, numPendingTests: 1 });
    } finally {
      rmSync(place, { recursive: true });
      rmSync(results, { force: true });
    }
  });

  test('ends what takes too long, with 124', async () => {
    const result = await lab('--time-limit', '2', '--', 'sleep', '1000');
    expect(result).toMatchObject({ code: 124, stdout: '' });
    expect(result.stderr).toContain('the time limit of 2 s is reached');
  });

  test('says why a machine died, with 125', async () => {
    const result = await lab('--', 'sh', '-c', 'echo c >/proc/sysrq-trigger');
    expect(result.code).toBe(125);
    expect(result.stderr).toMatch(/the machine died[^]*entry_SYSCALL_64/);
  });

  test('says what it cannot set up, with 125', async () => {
    expect(await lab('--memory', 'much', 'true')).toMatchObject({
      code: 125,
      stderr: 'lab: --memory is "much"; it must be a size such as 512m or 8g\n',
    });
    expect(await lab('--test', 'no/such/test')).toMatchObject({
      code: 125,
      stderr: 'lab: no test for the lab is named by no/such/test\n',
    });
    const disk = `${directory.path}/no/such/disk:1m`;
    const noDisk = await lab('--disk', disk, 'true');
    expect(noDisk.code).toBe(125);
    expect(noDisk.stderr).toMatch(/^lab: the disk cannot be made: ENOENT/);
  });

  test('leaves nothing behind when it is told to end', async () => {
    const started = startLab('sleep', '1000');
    const exited = once(started, 'exit');
    await waitFor(() => isBooting(directory.path));
    started.kill('SIGTERM');
    expect(await exited).toEqual([143, null]);
  });

  test('leaves nothing behind when it is killed', async () => {
    const started = startLab('sleep', '1000');
    const exited = once(started, 'exit');
    const pid = await waitFor(() => isBooting(directory.path));
    process.kill(pid, 'SIGKILL');
    expect(await exited).toEqual([137, null]);
  });
});

/** @returns The process of the lab itself, once its QEMU runs. */
function isBooting(directory: string): number | undefined {
  const qemu = processesAt(directory).find(({ words }) => words[0] === 'qemu-system-x86_64');
  return qemu?.parent;
}

/** Files in its directory for temporary files, and processes that were told of it. */
function leftBehind(directory: string): string[] {
  return [...readdirSync(directory), ...processesAt(directory).map(({ words }) => words.join(' '))];
}

function processesAt(directory: string): { words: string[]; parent: number }[] {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  return pids.flatMap((pid) => {
    const words = readProcess(pid, 'cmdline').split('\0');
    const parent = Number(/^PPid:\s+(\d+)$/m.exec(readProcess(pid, 'status'))?.[1]);
    return words.some((word) => word.includes(directory)) ? [{ words, parent }] : [];
  });
}

/** Empty for a process that has ended. */
function readProcess(pid: string, file: string): string {
  try {
    return readFileSync(join('/proc', pid, file), 'utf8');
  } catch {
    return '';
  }
}
