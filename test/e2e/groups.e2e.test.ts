import { requires, waitFor } from '@teu/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { output, startEngine, type Engine } from './engine.js';

/** A program that says something again and again, and makes no process for it. */
const tick = 'mkfifo /f; exec 3<>/f; while :; do echo tick; read -t 0.05 <&3; done';

describe.runIf(requires('root'))('containers that share a budget', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine();
  });
  afterAll(() => engine.stop());

  const teu = (...args: string[]): Promise<string> => output(engine, ...args);
  const lines = async (container: string): Promise<number> =>
    (await teu('logs', container)).split('\n').length;
  /** Lines of what stands still. What it wrote just before may still be on its way to the log. */
  const settledLines = async (container: string): Promise<number> => {
    let last = await lines(container);
    await waitFor(async () => {
      const before = last;
      last = await lines(container);
      return last === before;
    });
    return last;
  };
  const group = async (name: string): Promise<Record<string, unknown>> => {
    const [found] = JSON.parse(await teu('group', 'inspect', name)) as Record<string, unknown>[];
    return found ?? {};
  };

  test('have a number of tasks together, stand still together and are killed together', async () => {
    // The inner shell ends when it cannot fork; what it made stays.
    const spawn = 'sh -c "while :; do sleep 1000 & done"; exec sleep 1000';
    const three = 'for i in 1 2 3; do sleep 0.1 & done; wait';
    await teu('group', 'create', '--pids-limit', '30', '--label', 'who=me', 'team');
    await teu('group', 'create', 'team/build');
    await teu(
      'run',
      '-d',
      '--name',
      'b',
      '--cgroup-parent',
      'team/build',
      'busybox',
      'sh',
      '-c',
      tick,
    );
    await teu('run', '-d', '--name', 'a', '--group', 'team', 'busybox', 'sh', '-c', spawn);
    await waitFor(async () => Number((await group('team'))['processCount']) === 29);
    expect(await group('team')).toMatchObject({ containerCount: 2, groupCount: 1 });
    expect(await teu('ps', '-q', '--filter', 'group=team/build')).toBe(
      (await teu('ps', '-q', '--filter', 'name=b')).slice(0, 12),
    );
    expect((await engine.teu(['exec', 'b', 'sh', '-c', three])).code).not.toBe(0);
    expect(await teu('group', 'update', '--pids-limit', '100', 'team')).toBe('team');
    await teu('exec', 'b', 'sh', '-c', three);

    const busy = await engine.teu(['group', 'rm', '-r', 'team']);
    expect(busy.code).toBe(1);
    expect(busy.stderr).toContain('it holds 2 containers and 1 group');

    await teu('group', 'freeze', 'team');
    const still = await settledLines('b');
    for (const refused of [
      ['exec', 'b', 'true'],
      ['run', '--rm', '--group', 'team/build', 'busybox', 'true'],
    ]) {
      const { code, stderr } = await engine.teu(refused);
      expect(code).not.toBe(0);
      expect(stderr).toContain('frozen');
    }
    expect(await lines('b')).toBe(still);
    await teu('group', 'thaw', 'team');
    await waitFor(async () => (await lines('b')) > still + 2);

    await teu('group', 'kill', 'team');
    expect(await teu('wait', 'a')).toBe('137');
    expect(await teu('wait', 'b')).toBe('137');
    expect(await group('team')).toMatchObject({ labels: { who: 'me' } });
    const missing = await engine.teu(['run', '--rm', '--group', 'nope', 'busybox', 'true']);
    expect(missing).toMatchObject({ code: 125 });
    expect(missing.stderr).toContain('there is no group "nope"');
    await teu('start', 'b');
    await teu('rm', '-f', 'a', 'b');
    await waitFor(async () => (await engine.teu(['group', 'rm', '-r', 'team'])).code === 0);
    expect(await teu('group', 'ls', '-q')).toBe('');
  });

  test('a paused container stands still until it is unpaused, also through a commit', async () => {
    await teu('run', '-d', '--name', 'p', 'busybox', 'sh', '-c', tick);
    await waitFor(async () => (await lines('p')) > 2);
    await teu('pause', 'p');
    const still = await settledLines('p');
    expect(await teu('ps')).toMatch(/Up .* \(Paused\)/);
    expect((await engine.teu(['exec', 'p', 'true'])).stderr).toContain('is paused');
    expect((await engine.teu(['pause', 'p'])).code).toBe(1);
    await teu('commit', 'p', 'still:1');
    expect(await lines('p')).toBe(still);
    await teu('unpause', 'p');
    await waitFor(async () => (await lines('p')) > still + 2);
    await teu('pause', 'p');
    await teu('stop', '-t', '1', 'p');
    await teu('start', 'p');
    await teu('pause', 'p');
    await teu('rm', '-f', 'p');
    const story = ['paused', 'unpaused', 'paused', 'unpaused', 'paused'];
    const events = (): Promise<string> => teu('events', '--since', '1', '--until-now');
    await waitFor(async () => / container removed .*name=p,/.test(await events()));
    const told = (await events()).matchAll(/ container (paused|unpaused) /g);
    expect([...told].map(([, word]) => word)).toEqual(story);
  });

  test('sees its own cgroups and cannot change them', async () => {
    await teu('group', 'create', 'seen');
    const look =
      'cut -d: -f3 /proc/self/cgroup | sort -u; for d in /sys/fs/cgroup/*; do mkdir $d/x; done 2>&1; true';
    const seen = await teu('run', '--rm', '--group', 'seen', 'busybox', 'sh', '-c', look);
    const [path, ...refusals] = seen.split('\n');
    expect(path).toBe('/');
    expect(refusals.length).toBeGreaterThan(0);
    expect(refusals.filter((line) => !line.includes('Read-only file system'))).toEqual([]);
    await waitFor(async () => (await engine.teu(['group', 'rm', 'seen'])).code === 0);
  });
});
