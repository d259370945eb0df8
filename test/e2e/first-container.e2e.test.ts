import { afterAll, beforeAll, expect, test } from 'vitest';
import { output, startEngine, type Engine } from './engine.js';

// What a new user tries first, word for word.
let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
});
afterAll(async () => {
  await engine.stop();
});

test('a container that outgrows its memory is killed and says so', async () => {
  const result = await engine.teu([
    ...['run', '--rm', '--memory', '64m', 'busybox'],
    ...['sh', '-c', 'head -c 200m /dev/zero | tail'],
  ]);
  expect(result.code).toBe(137);
  expect(result.stderr).toMatch(/out of memory/i);
});

test('run gives the exit code of the program', async () => {
  expect((await engine.teu(['run', '--rm', 'busybox', 'sh', '-c', 'exit 7'])).code).toBe(7);
  expect((await engine.teu(['run', '--rm', 'busybox', 'true'])).code).toBe(0);
});

test('an image that is not there is named, with exit code 125', async () => {
  const result = await engine.teu(['run', 'nosuch:image', 'true']);
  expect(result.code).toBe(125);
  expect(result.stderr).toContain('nosuch:image');
  expect(result.stdout).toBe('');
});

test('a program that is not there gives 127, one that cannot run 126', async () => {
  const missing = await engine.teu(['run', '--rm', 'busybox', 'nosuchprogram']);
  expect(missing.code).toBe(127);
  expect(missing.stderr).toContain('nosuchprogram');
  expect((await engine.teu(['run', '--rm', 'busybox', '/etc/passwd'])).code).toBe(126);
  expect(await output(engine, 'ps', '-a', '-q')).toBe('');
});

test('an unknown option is refused before anything happens', async () => {
  const result = await engine.teu(['run', '--memroy', '64m', 'busybox', 'true']);
  expect(result.code).toBe(125);
  expect(result.stderr).toContain('--memroy');
  expect(result.stderr).toContain('--memory');
});

test('output, errors and input pass through', async () => {
  const both = await engine.teu([
    ...['run', '--rm', 'busybox', 'sh', '-c'],
    'echo to-stdout; echo to-stderr >&2',
  ]);
  expect(both).toMatchObject({ code: 0, stdout: 'to-stdout\n', stderr: 'to-stderr\n' });
  const input = 'line\n'.repeat(50_000);
  const piped = await engine.teu(['run', '--rm', '-i', 'busybox', 'cat'], { stdin: input });
  expect(piped.stdout).toBe(input);
});

test('no output is lost, however much it is', async () => {
  const bytes = 96 * 1024 * 1024;
  const result = await engine.teu([
    ...['run', '--rm', 'busybox', 'sh', '-c'],
    `head -c ${String(bytes)} /dev/zero | tr '\\0' x`,
  ]);
  expect(result.code).toBe(0);
  expect(result.stdout.length).toBe(bytes);
}, 60_000);

test('a detached container lives through the commands around it', async () => {
  const id = await output(engine, 'run', '-d', '--name', 'web', 'busybox', 'sleep', '1000');
  expect(id).toMatch(/^[0-9a-f]{64}$/);
  expect(await output(engine, 'ps')).toContain('web');
  expect(await output(engine, 'exec', 'web', 'hostname')).toBe(id.slice(0, 12));
  expect((await engine.teu(['run', '--name', 'web', 'busybox', 'true'])).code).toBe(125);
  expect((await engine.teu(['rm', 'web'])).code).not.toBe(0);
  await output(engine, 'stop', '-t', '1', 'web');
  expect(await output(engine, 'wait', 'web')).toBe('137');
  expect(await output(engine, 'ps')).not.toContain('web');
  await output(engine, 'start', 'web');
  expect(await output(engine, 'ps')).toContain('web');
  await output(engine, 'rm', '-f', 'web');
  expect(await output(engine, 'ps', '-a', '-q')).toBe('');
});

test('limits are in force inside', async () => {
  const limits = await output(
    engine,
    ...[
      'run',
      '--rm',
      '--memory',
      '64m',
      '--cpus',
      '0.5',
      '--pids-limit',
      '50',
      'busybox',
      'sh',
      '-c',
    ],
    'cd /sys/fs/cgroup; cat memory/memory.limit_in_bytes pids/pids.max cpu/cpu.cfs_quota_us 2>/dev/null ||' +
      ' cat memory.max pids.max cpu.max',
  );
  expect(limits.split('\n').map((line) => line.split(' ')[0])).toEqual(['67108864', '50', '50000']);
});
