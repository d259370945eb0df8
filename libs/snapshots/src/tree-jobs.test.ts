import { describe, expect, it } from 'vitest';
import type { StorageDriver } from './driver.js';
import { TreeJobs } from './tree-jobs.js';

const driver = {
  withTree: (id: number, work: (directory: string) => Promise<unknown>) => work(`tree ${id}`),
} as StorageDriver;

const untilAborted = (_tree: string, signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('ended')));
  });

describe('work on trees', () => {
  it('gets the tree, and ends with its caller', async () => {
    const jobs = new TreeJobs(driver);
    expect(await jobs.run(1, undefined, (tree) => Promise.resolve(tree))).toBe('tree 1');
    const stop = new AbortController();
    const running = jobs.run(1, stop.signal, untilAborted);
    stop.abort();
    await expect(running).rejects.toThrow('ended');
    await expect(jobs.run(1, stop.signal, untilAborted)).rejects.toThrow('aborted');
  });

  it('ends for a removal, of that snapshot only', async () => {
    const jobs = new TreeJobs(driver);
    expect(jobs.stop(1)).toBeUndefined();
    const running = [1, 1, 2].map((id) => jobs.run(id, undefined, untilAborted));
    const [one, same, other] = running.map((run) =>
      run.catch((error: unknown) => (error instanceof Error ? error.message : '')),
    );
    await jobs.stop(1);
    expect(await Promise.all([one, same])).toEqual(['ended', 'ended']);
    expect(jobs.stop(1)).toBeUndefined();
    await jobs.close(Promise.resolve());
    expect(await other).toBe('ended');
    await expect(jobs.run(3, undefined, untilAborted)).rejects.toThrow();
  });

  it('ends and waits while the tree is changed, of that snapshot only', async () => {
    const jobs = new TreeJobs(driver);
    const running = jobs.run(1, undefined, untilAborted).catch(() => 'ended');
    const seen: string[] = [];
    const look = (id: number) =>
      jobs.run(id, undefined, (tree) => Promise.resolve(seen.push(tree)));
    const changed = await jobs.exclude(1, async () => {
      expect(await running).toBe('ended');
      const waiting = look(1);
      await look(2);
      expect(seen).toEqual(['tree 2']);
      return { waiting };
    });
    await changed.waiting;
    expect(seen).toEqual(['tree 2', 'tree 1']);
    const failing = jobs.exclude(1, () => Promise.reject(new Error('no')));
    await expect(failing).rejects.toThrow('no');
    await look(1);
  });
});
