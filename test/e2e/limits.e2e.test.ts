import { requires } from '@teu/testing';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { output, startEngine, type Engine } from './engine.js';

describe.runIf(requires('root', 'cgroup_v1'))('a container with limits', () => {
  let engine: Engine;
  beforeAll(async () => {
    engine = await startEngine();
  });
  afterAll(() => engine.stop());

  const teu = (...args: string[]): Promise<string> => output(engine, ...args);
  const inForce = (name: string, file: string): Promise<string> =>
    teu('exec', name, 'cat', `/sys/fs/cgroup/${file}`);
  const processors = (name: string): Promise<string> =>
    teu('exec', name, 'grep', 'Cpus_allowed_list', '/proc/self/status');

  test('has all that it was created with', async () => {
    const file = join(engine.runDir, 'resources.json');
    writeFileSync(file, '{"pids":{"limit":40},"devices":[{"allow":false,"access":"rwm"}]}');
    await teu(
      ...['run', '-d', '--name', 'many', '--memory', '64m', '--memory-swappiness', '10'],
      ...['--cpu-shares', '512', '--cpu-quota', '50000', '--cpu-burst', '20000'],
      ...['--cpuset-cpus', '0', '--blkio-weight', '300', '--oom-score-adj', '300'],
      ...['--device', '/dev/loop-control:/dev/control:rw', '--resources', file],
      ...['busybox', 'sleep', '1000'],
    );
    expect(await inForce('many', 'memory/memory.limit_in_bytes')).toBe(String(64 << 20));
    expect(await inForce('many', 'memory/memory.swappiness')).toBe('10');
    expect(await inForce('many', 'cpu/cpu.shares')).toBe('512');
    expect(await inForce('many', 'cpu/cpu.cfs_burst_us')).toBe('20000');
    expect(await inForce('many', 'pids/pids.max')).toBe('40');
    expect(await processors('many')).toMatch(/\t0$/);
    expect(await teu('exec', 'many', 'cat', '/proc/1/oom_score_adj')).toBe('300');
    await teu('exec', 'many', 'sh', '-c', ': < /dev/control');
  });

  test('has others at once, with what joins it later', async () => {
    await teu('run', '-d', '--name', 'live', '--memory', '64m', 'busybox', 'sleep', '1000');
    expect(await teu('update', '--memory', '128m', '--cpuset-cpus', '0', 'live')).toBe('live');
    expect(await inForce('live', 'memory/memory.limit_in_bytes')).toBe(String(128 << 20));
    expect(await processors('live')).toMatch(/\t0$/);
    const [inspected] = JSON.parse(await teu('inspect', 'live')) as [
      { spec: { resources: { cpu: { cpus: string } } } },
    ];
    expect(inspected.spec.resources.cpu.cpus).toBe('0');
    await teu('stop', '-t', '0', 'live');
    await teu('update', '--pids-limit', '30', 'live');
    await teu('start', 'live');
    expect(await inForce('live', 'pids/pids.max')).toBe('30');
    expect(await processors('live')).toMatch(/\t0$/);
  });

  test('that this host cannot have is refused by name, and nothing is changed', async () => {
    await teu('run', '-d', '--name', 'fixed', '--pids-limit', '20', 'busybox', 'sleep', '1000');
    const refused = await engine.teu(['update', '--memory-high', '1m', 'fixed']);
    expect(refused.code).toBe(1);
    expect(refused.stderr).toContain('resources.memory.high');
    const low = await engine.teu(['update', '--pids-limit', '9', '--cpuset-cpus', '4000', 'fixed']);
    expect(low.code).toBe(1);
    expect(low.stderr).toContain('resources.cpu.cpus is 4000');
    expect(await inForce('fixed', 'pids/pids.max')).toBe('20');
    const run = await engine.teu(['run', '--cgroup-option', 'x.y=1', 'busybox', 'true']);
    expect(run.code).toBe(125);
    expect(run.stderr).toContain('resources.unified["x.y"]');
    expect((await engine.teu(['update', 'fixed'])).code).not.toBe(0);
  });
});
