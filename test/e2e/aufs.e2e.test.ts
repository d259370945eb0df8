import { busyboxImageTar, requires, startTeu, waitFor } from '@teu/testing';
import { readdirSync, readFileSync } from 'node:fs';
import process from 'node:process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { output, type Engine } from './engine.js';

const deadlineMs = 60_000;

/** Processes of unions of an engine. */
function unionPids({ dataDir }: Engine): number[] {
  return readdirSync('/proc')
    .filter((name) => /^[0-9]+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const words = readFileSync(`/proc/${String(pid)}/cmdline`, 'utf8').split('\0');
        return (
          words[0]?.endsWith('teu-union') === true && words.some((word) => word.startsWith(dataDir))
        );
      } catch {
        return false;
      }
    });
}

describe.runIf(requires('root', 'fuse'))('an engine on aufs', { timeout: deadlineMs }, () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startTeu({ args: ['--storage-driver', 'aufs'] });
    await output(engine, 'load', '-i', await busyboxImageTar());
  }, deadlineMs);
  afterAll(async () => {
    await engine.stop();
    await waitFor(() => unionPids(engine).length === 0);
  }, deadlineMs);

  test('says what makes its unions', async () => {
    expect(await output(engine, 'driver', 'ls')).toMatch(
      /^aufs +aufs +available .*(kernel|teu-union)/m,
    );
    type Listed = { driver: { implementation: string } }[];
    const listed = JSON.parse(await output(engine, 'driver', 'ls', '--format', 'json')) as Listed;
    expect(listed[0]?.driver.implementation).toMatch(/^(kernel aufs|teu-union \(FUSE)/);
  });

  test('runs containers, executes in them, and removes them', async () => {
    expect(await output(engine, 'run', '--rm', 'busybox', 'echo', 'hello')).toBe('hello');
    await output(engine, 'run', '-d', '--name', 'stays', 'busybox', 'sleep', '1000');
    await output(engine, 'exec', 'stays', 'sh', '-c', 'echo own > /etc/own && rm /etc/passwd');
    expect(await output(engine, 'exec', 'stays', 'cat', '/etc/own')).toBe('own');
    const gone = await engine.teu(['exec', 'stays', 'cat', '/etc/passwd']);
    expect(gone.code).toBe(1);
    // Each has its own.
    expect(await output(engine, 'run', '--rm', 'busybox', 'head', '-c4', '/etc/passwd')).toBe(
      'root',
    );
    await output(engine, 'rm', '-f', 'stays');
  });

  test('keeps what a container wrote over its end', async () => {
    await output(
      engine,
      'create',
      '--name',
      'again',
      'busybox',
      'sh',
      '-c',
      'echo x >>/n; wc -l </n',
    );
    for (const count of ['1', '2']) {
      await output(engine, 'start', 'again');
      await output(engine, 'wait', 'again');
      expect((await output(engine, 'logs', 'again')).split('\n').at(-1)?.trim()).toBe(count);
    }
    await output(engine, 'rm', 'again');
  });

  test('has containers that go on without the driver', async () => {
    await output(engine, 'run', '-d', '--name', 'runs', 'busybox', 'sleep', '1000');
    const { aufs: pid = 0 } = await engine.pids();
    process.kill(pid, 'SIGKILL');
    expect(await output(engine, 'exec', 'runs', 'cat', '/etc/hostname')).not.toBe('');
    await waitFor(async () => ((await engine.pids())['aufs'] ?? pid) !== pid, {
      timeoutMs: deadlineMs,
    });
    await output(engine, 'exec', 'runs', 'touch', '/own');
    expect(await output(engine, 'run', '--rm', 'busybox', 'echo', 'hello')).toBe('hello');
    await output(engine, 'rm', '-f', 'runs');
  });
});
