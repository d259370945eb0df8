import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { output, startEngine, type Engine } from './engine.js';

// What the command answers, word for word where a user or a script depends on it. Exit codes are docker's.
let engine: Engine;
beforeAll(async () => {
  engine = await startEngine();
  await output(engine, 'run', '-d', '--name', 'web', 'busybox', 'sleep', '1000');
  await output(engine, 'create', '--name', 'made', 'busybox', 'true');
});
afterAll(async () => {
  await engine.stop();
});

type Case = readonly [command: string, code: number, stderr: RegExp];

const mistakes: readonly Case[] = [
  ['rnu', 1, /did you mean: teu run/],
  ['run', 1, /needs an argument: IMAGE/],
  ['ps web', 1, /"web" is too much/],
  ['exec web', 1, /needs 2 arguments/],
  ['run --bogus busybox', 125, /unknown option: --bogus/],
  ['ps --bogus', 125, /unknown option: --bogus/],
  ['run --memory lots busybox', 125, /invalid size "lots" for --memory/],
  ['run --cpus none busybox', 125, /invalid number of CPUs "none"/],
  ['run --network bridge busybox', 125, /none, host/],
  ['run --name web busybox', 125, /the name "web" belongs to container [0-9a-f]{64}/],
  ['run --rm -w relative busybox pwd', 125, /not an absolute path/],
  ['run --rm -it busybox sh', 1, /standard input is not a terminal/],
  ['run --rm busybox ./nosuch', 127, /nosuch/],
  ['run --rm busybox /bin', 126, /\/bin/],
  ['exec web nosuch', 127, /nosuch/],
  ['exec web /etc/passwd', 126, /passwd/],
  ['exec nosuch true', 1, /no container has the id or name "nosuch"/],
  ['exec made true', 1, /does not run/],
  ['kill made', 1, /does not run/],
  ['kill -s NOPE web', 1, /not the name or number of a signal/],
  ['rm web', 1, /stop it first/],
  ['logs nosuch', 1, /nosuch/],
  ['inspect nosuch', 1, /nosuch/],
  ['ps --filter bogus=1', 125, /invalid filter/],
  ['ps --format xml', 125, /table, json/],
  ['load -i /nosuch', 1, /cannot be read/],
  ['rmi nosuch', 1, /there is no image "nosuch"/],
  ['rmi busybox', 1, /containers that stand on it .*overlay2/],
  ['run --storage-driver nosuch busybox', 125, /no storage driver "nosuch"/],
  ['run --storage-opt sise=1g busybox', 125, /did you mean size/],
  ['run --storage-opt size=1g busybox', 125, /overlay2/],
  ['load --storage-driver nosuch -i dist/images/busybox.tar', 1, /no storage driver "nosuch"/],
  ['driver chekc', 1, /did you mean: teu driver check/],
  ['driver ls web', 1, /"web" is too much/],
  ['driver add slow', 1, /needs 2 arguments: NAME ADDRESS/],
  ['driver add slow relative', 125, /unix:\/path/],
  ['driver add slow /nosuch.sock', 1, /slow/],
  ['driver add Slow /nosuch.sock', 1, /lower-case/],
  ['driver rm nosuch', 1, /no storage driver "nosuch"[^]*teu driver ls/],
  ['driver rm overlay2', 1, /overlay2/],
  ['driver default nosuch', 1, /no storage driver "nosuch"/],
  ['driver df nosuch', 1, /no storage driver "nosuch"/],
  ['driver check nosuch', 125, /no storage driver "nosuch"/],
  ['driver check overlay2 nosuch', 125, /nosuch/],
  ['driver repair', 125, /needs an argument/],
  ['driver serve vsf', 125, /did you mean vfs/],
  ['up --storage-driver overlay', 125, /did you mean overlay2/],
];

test.each(mistakes)('teu %s', async (command, code, stderr) => {
  const result = await engine.teu(command.split(' '));
  expect(result.stderr).toMatch(stderr);
  expect(result.stderr).toMatch(/^teu: /);
  expect(result.stderr).not.toMatch(/\n {4}at |unexpected/);
  expect(result.code).toBe(code);
});

test.each([
  'ps -a',
  'images',
  'status',
  'driver ls',
  'driver df',
  'version',
  'inspect web busybox',
])('teu %s --format json is one document', async (command) => {
  const text = await output(engine, ...command.split(' '), '--format', 'json');
  expect(() => JSON.parse(text) as unknown).not.toThrow();
});

test('each event is a line of JSON', async () => {
  const text = await output(engine, 'events', '--since', '1', '--until-now', '--format', 'json');
  const numbers = text
    .split('\n')
    .map((line) => (JSON.parse(line) as { sequence: number }).sequence);
  expect(numbers).toEqual(numbers.map((_, index) => index + 1));
});

test('one of several that is missing does not keep the others from being done', async () => {
  await output(engine, 'create', '--name', 'one', 'busybox', 'true');
  const removed = await engine.teu(['rm', 'nosuch', 'one']);
  expect(removed).toMatchObject({ code: 1, stdout: 'one\n' });
});

describe('start', () => {
  test('with -i shows a run from its first byte, each time, and takes input', async () => {
    const script = 'echo begin; cat; echo end';
    await output(engine, 'create', '--name', 'echo', '-i', 'busybox', 'sh', '-c', script);
    for (const word of ['first', 'second']) {
      const result = await engine.teu(['start', '-a', '-i', 'echo'], { stdin: `${word}\n` });
      expect(result).toMatchObject({ code: 0, stdout: `begin\n${word}\nend\n` });
    }
  });

  test('with -i gives the output and exit code of what ended at once', async () => {
    const script = 'echo quick; exit 4';
    await output(engine, 'create', '--name', 'quick', 'busybox', 'sh', '-c', script);
    for (let round = 0; round < 3; round++) {
      const result = await engine.teu(['start', '-i', 'quick']);
      expect(result).toMatchObject({ code: 4, stdout: 'quick\n' });
    }
  });

  test('keeps what the container has written', async () => {
    const script = 'echo x >> /file; wc -l < /file';
    await output(engine, 'create', '--name', 'files', 'busybox', 'sh', '-c', script);
    expect(await output(engine, 'start', '-a', 'files')).toBe('1');
    expect(await output(engine, 'start', '-a', 'files')).toBe('2');
  });
});
