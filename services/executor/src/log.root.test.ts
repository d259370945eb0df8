import { ExecutorServiceService as Service } from '@teu/proto/executor';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestExecutor, type TestExecutor } from './testing/test-executor.js';

let executor: TestExecutor;
beforeAll(async () => {
  executor = await startTestExecutor();
});
afterEach(() => executor.client.removeAll());
afterAll(() => executor.stop());

describe('a log', () => {
  it('is the same while the program runs and after it ended', async () => {
    const { client } = executor;
    const id = await client.launch(
      client.spec(['sh', '-c', 'echo a; echo b; read x'], { stdinOpen: true }),
    );
    let following = '';
    for await (const { records } of client.channel.serverStream(Service.readLog, {
      containerId: id,
      execId: '',
      fromOffset: 0,
      tailLines: undefined,
      since: undefined,
      follow: true,
    })) {
      following += Buffer.concat(records.map(({ data }) => data)).toString();
      if (following === 'a\nb\n') break;
    }
    expect(await client.logText(id)).toBe('a\nb\n');
    await client.signal(id, 9);
    await client.wait(id);
    expect(await client.logText(id)).toBe('a\nb\n');
    expect(await client.logText(id, { follow: true })).toBe('a\nb\n');
  });

  it('gives its last lines, and what came since a time or an offset', async () => {
    const { client } = executor;
    const { exit } = await client.run(['sh', '-c', 'seq 1 1000; printf end']);
    const [{ containerId: id } = { containerId: '' }] = await client.processes();
    expect(await client.logText(id, { tailLines: 3 })).toBe('999\n1000\nend');
    expect(await client.logText(id, { tailLines: 0 })).toBe('');
    expect((await client.logText(id, { tailLines: 5000 })).split('\n')).toHaveLength(1001);
    const later = new Date((exit.exitTime?.getTime() ?? 0) + 1000);
    expect(await client.logText(id, { since: later })).toBe('');
    const records = await client.log(id);
    const fromOffset = records.at(-1)?.nextOffset ?? 0;
    expect(await client.logText(id, { fromOffset })).toBe('');
  });

  it('follows to the end', async () => {
    const { client } = executor;
    const id = await client.launch(['sh', '-c', 'for i in 1 2 3; do echo $i; sleep 0.05; done']);
    expect(await client.logText(id, { follow: true })).toBe('1\n2\n3\n');
  });

  it('is bounded, and tells by its offsets what was dropped', async () => {
    const { client } = executor;
    const spec = client.spec(['sh', '-c', 'seq 1 200000']);
    const containerId = await client.launch(spec, { segmentBytes: 65536, segmentCount: 2 });
    await client.wait(containerId);
    const records = await client.log(containerId);
    const bytes = records.reduce((sum, { data }) => sum + data.length, 0);
    expect(records[0]?.offset).toBeGreaterThan(0);
    expect(bytes).toBeLessThanOrEqual(2 * 65536);
    expect(await client.logText(containerId, { tailLines: 1 })).toBe('200000\n');
  });
});

describe('watching exits', () => {
  it('tells that it stands, then each exit of first and joining programs', async () => {
    const { client } = executor;
    const leave = new AbortController();
    const exits = client.channel.serverStream(Service.watchExits, {}, { signal: leave.signal });
    expect((await exits.next()).value).toEqual({ process: undefined });
    const id = await client.launch(['sleep', '1000']);
    const execId = await client.exec(id, ['sh', '-c', 'exit 5']);
    expect((await exits.next()).value).toMatchObject({
      process: { containerId: id, execId, exit: { exitCode: 5 } },
    });
    await client.signal(id, 15);
    await client.signal(id, 9);
    expect((await exits.next()).value).toMatchObject({
      process: { containerId: id, execId: '', exit: { exitCode: 137 } },
    });
    leave.abort();
  });
});

describe('joining a container', () => {
  it('happens in its namespaces', async () => {
    const { client } = executor;
    const id = await client.launch(['sleep', '1000']);
    const script =
      'for n in pid net mnt ipc uts cgroup time; do readlink /proc/1/ns/$n; readlink /proc/self/ns/$n; done';
    const { stdout } = await client.runExec(id, ['sh', '-c', script]);
    const links = stdout.trim().split('\n');
    expect(links).toHaveLength(14);
    for (let index = 0; index < links.length; index += 2)
      expect(links[index]).toBe(links[index + 1]);
  });

  it('says what is wrong with the program, and that the container has ended', async () => {
    const { client } = executor;
    const id = await client.launch(['sleep', '1000']);
    await expect(client.exec(id, ['nosuch'])).rejects.toMatchObject({
      reason: 'PROGRAM_NOT_FOUND',
    });
    await client.signal(id, 9);
    await client.wait(id);
    await expect(client.exec(id, ['true'])).rejects.toMatchObject({
      reason: 'CONTAINER_NOT_RUNNING',
    });
  });

  it('while the container ends fails cleanly or runs, and never hangs (F27)', async () => {
    const { client } = executor;
    for (let round = 0; round < 10; round += 1) {
      const id = await client.launch(['sleep', '0.05']);
      const attempts = await Promise.allSettled(
        Array.from({ length: 8 }, () => client.runExec(id, ['true'])),
      );
      for (const attempt of attempts) {
        if (attempt.status === 'fulfilled') continue;
        expect(attempt.reason).toMatchObject({ reason: 'CONTAINER_NOT_RUNNING' });
      }
      await client.remove(id);
    }
  });

  it('and leaving a child behind does not hold its deletion up', async () => {
    const { client } = executor;
    const id = await client.launch(['sleep', '1000']);
    const execId = await client.exec(id, ['sh', '-c', 'sleep 1000 & exit 2']);
    expect(await client.wait(id, execId)).toMatchObject({ exitCode: 2 });
    // The child sleeps longer than any call waits.
    await client.channel.unary(Service.deleteProcess, { containerId: id, execId, force: false });
  });

  it('100 times leaves 100 records, and deleting each leaves none', async () => {
    const { client } = executor;
    const id = await client.launch(['sleep', '1000']);
    const codes = Array.from({ length: 100 }, (_, index) => index);
    const execIds = await Promise.all(
      codes.map((code) => client.exec(id, ['sh', '-c', `exit ${code}`])),
    );
    const exits = await Promise.all(execIds.map((execId) => client.wait(id, execId)));
    expect(exits.map(({ exitCode }) => exitCode)).toEqual(codes);
    expect(await client.processes(id)).toHaveLength(101);
    for (const execId of execIds) {
      await client.channel.unary(Service.deleteProcess, { containerId: id, execId, force: false });
    }
    expect(await client.processes(id)).toHaveLength(1);
  });
});
