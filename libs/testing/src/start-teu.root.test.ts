import { checkHealth } from '@teu/rpc';
import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { requires, startService, startTeu, type TestTeu } from './index.js';

describe.runIf(requires('root', 'nats-server'))('an engine of its own', () => {
  it('comes up, answers, and goes down without leaving anything', async () => {
    const engine: TestTeu = await startTeu();
    try {
      const { code, stdout } = await engine.teu(['ps']);
      expect({ code, lines: stdout.trimEnd().split('\n').length }).toEqual({ code: 0, lines: 1 });
      expect(await checkHealth(engine.channel('engine'))).toBe('SERVING');
      const pids = await engine.pids();
      expect(Object.keys(pids).sort()).toEqual(
        ['cgroup', 'engine', 'executor', 'image', 'nats', 'overlay2', 'resident'].sort(),
      );
      expect(engine.idlePids().every((pid) => existsSync(`/proc/${pid}`))).toBe(true);
      expect(engine.supervisorPids()).toEqual([]);
    } finally {
      await engine.stop();
    }
    expect(existsSync(engine.runDir)).toBe(false);
  }, 60_000);

  it('is beside others on the same machine', async () => {
    const engines = await Promise.all([startTeu(), startTeu()]);
    const versions = await Promise.all(engines.map((engine) => engine.teu(['version'])));
    expect(versions.map(({ code }) => code)).toEqual([0, 0]);
    await Promise.all(engines.map((engine) => engine.stop()));
  }, 60_000);
});

describe.runIf(requires('root'))('a service of its own', () => {
  it('serves, is restarted with its state, and ends when asked to', async () => {
    const service = await startService('overlay2');
    expect(await checkHealth(service.channel)).toBe('SERVING');
    await service.stop();
    expect(await service.exited).toEqual({ code: 0, signal: null });
    expect(existsSync(service.runDir)).toBe(false);
  });

  it('that cannot start says why', async () => {
    await expect(startService('overlay2', { env: { TEU_NONSENSE: '1' } })).rejects.toThrow(
      'TEU_NONSENSE',
    );
  });
});
