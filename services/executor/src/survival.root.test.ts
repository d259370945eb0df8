import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { newContainerId } from '@teu/ids';
import { NamespaceType, ProcessState, type AttachProcessResponse } from '@teu/proto/executor';
import {
  expectNoLeaks,
  leakSnapshot,
  requires,
  startService,
  tempDir,
  waitFor,
  type RunningTestService,
  type TempDir,
} from '@teu/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { FAILPOINTS } from './failpoints.js';
import { makeBusyboxRoot } from './testing/busybox-root.js';
import { ExecutorClient } from './testing/executor-client.js';

const isolated = describe.runIf(requires('root'));

let directory: TempDir;
let service: RunningTestService;
let client: ExecutorClient;
let root: string;
let paths: { runDir: string; dataDir: string };

beforeEach(async () => {
  directory = tempDir();
  root = join(directory.path, 'root');
  mkdirSync(root);
  makeBusyboxRoot(root);
  paths = { runDir: join(directory.path, 'r'), dataDir: join(directory.path, 'd') };
  await start();
});

afterEach(async () => {
  // Also what a test that failed has forgotten.
  for (const { containerId, execId } of await client.processes()) {
    if (execId === '') await client.remove(containerId);
  }
  const { pid } = service;
  await service.stop();
  await waitFor(() => !isRunning(pid));
  directory.remove();
});

async function start(failpoints = ''): Promise<void> {
  service = await startService('executor', {
    ...paths,
    ...(failpoints === '' ? {} : { env: { TEU_FAILPOINTS: failpoints } }),
  });
  client = new ExecutorClient(service.channel, root);
}

async function killService(): Promise<void> {
  service.kill('SIGKILL');
  await service.exited;
  service.channel.close();
}

async function restart(): Promise<void> {
  await killService();
  await start();
}

function isRunning(pid: number): boolean {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    return !['Z', 'X'].includes(stat.slice(stat.lastIndexOf(')') + 2)[0] ?? '');
  } catch {
    return false;
  }
}

const directoryOf = (id: string) => join(paths.dataDir, 'executor', 'c', id);

isolated('an executor that is killed (F02)', () => {
  it('finds its containers again, and the exits that came meanwhile', async () => {
    const signal = join(directory.path, 'signal');
    mkdirSync(signal);
    const waiting = (code: number) => {
      const script = `echo ${code}; until [ -e /signal/go ]; do sleep 0.01; done; exit ${code}`;
      const spec = client.spec(['sh', '-c', script]);
      spec.mounts.push({ destination: '/signal', type: 'bind', source: signal, options: [] });
      return spec;
    };
    const codes = Array.from({ length: 20 }, (_, index) => index);
    const ids = await Promise.all(codes.map((code) => client.launch(waiting(code))));
    const early = await client.launch(['sh', '-c', 'echo early; exit 42']);
    await client.wait(early);
    const launchedAfter = Date.now();
    const staying = await client.launch(['sleep', '1000']);
    const launchedBefore = Date.now();
    const exec = await client.exec(staying, ['sleep', '1000']);
    const before = await client.get(staying);

    await killService();
    writeFileSync(join(signal, 'go'), '');
    await waitFor(() => ids.every((id) => existsSync(join(directoryOf(id), 'exit'))));
    await start();

    const outcomes = await Promise.all(ids.map((id) => client.outcome(id)));
    expect(outcomes.map(({ exit }) => exit)).toMatchObject(
      codes.map((exitCode) => ({ exitCode, lost: false })),
    );
    expect(outcomes.map(({ stdout }) => stdout)).toEqual(codes.map((code) => `${code}\n`));
    expect(await client.outcome(early)).toMatchObject({
      stdout: 'early\n',
      exit: { exitCode: 42 },
    });
    expect(await client.processes()).toHaveLength(23);
    const after = await client.get(staying);
    expect(after).toMatchObject({ pid: before.pid, state: ProcessState.PROCESS_STATE_RUNNING });
    // Told by the clock of the file system, which moves in steps of up to 10 ms.
    for (const { startTime } of [before, after]) {
      expect(startTime?.getTime()).toBeGreaterThanOrEqual(launchedAfter - 10);
      expect(startTime?.getTime()).toBeLessThanOrEqual(launchedBefore);
    }

    expect(await client.runExec(staying, ['hostname'])).toMatchObject({ stdout: 'example\n' });
    await client.signal(staying, 9, exec);
    expect(await client.wait(staying, exec)).toMatchObject({ exitCode: 137 });
    await client.signal(staying, 15);
    await client.signal(staying, 9);
    expect(await client.wait(staying)).toMatchObject({ exitCode: 137 });
  });

  it('while a client is attached leaves the program alone; the next attach misses nothing', async () => {
    const signal = join(directory.path, 'signal');
    mkdirSync(signal);
    const waiting = 'until [ -e /signal/go ]; do sleep 0.01; done';
    const spec = client.spec(['sh', '-c', `echo 1; echo 2; ${waiting}; echo 3; echo 4`]);
    spec.mounts.push({ destination: '/signal', type: 'bind', source: signal, options: [] });
    const id = await client.launch(spec);
    const attached = client.attach({ containerId: id });
    let text = '';
    while (text !== '1\n2\n') {
      const { part } = (await attached.next()).value as AttachProcessResponse;
      if (part?.$case === 'record') text += part.value.data.toString();
    }
    const broken = expect(
      (async () => {
        for await (const { part } of attached) expect(part).toBeDefined();
      })(),
    ).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    await restart();
    await broken;
    writeFileSync(join(signal, 'go'), '');
    text = '';
    for await (const { part } of client.attach({ containerId: id })) {
      if (part?.$case === 'record') text += part.value.data.toString();
    }
    expect(text).toBe('1\n2\n3\n4\n');
  });

  it('in order leaves containers running too', async () => {
    const id = await client.launch(['sleep', '1000']);
    service.kill('SIGTERM');
    expect(await service.exited).toMatchObject({ code: 0 });
    service.channel.close();
    await start();
    expect(await client.get(id)).toMatchObject({ state: ProcessState.PROCESS_STATE_RUNNING });
  });
});

isolated('a supervisor that is killed (F03)', () => {
  const lost = { exitCode: 255, lost: true };

  it('takes its container along; the exit is lost, now and after a restart', async () => {
    const id = await client.launch(['sleep', '1000']);
    const { pid, supervisorPid } = await client.get(id);
    const exec = await client.exec(id, ['sleep', '1000']);
    process.kill(supervisorPid, 'SIGKILL');
    const exit = await client.wait(id);
    expect(exit).toMatchObject(lost);
    await waitFor(() => !isRunning(pid));
    expect(await client.wait(id, exec)).toMatchObject({ exitCode: 137, lost: false });
    await restart();
    expect(await client.wait(id)).toEqual(exit);
  });

  it.each([
    ['supervisor', ['supervisorPid']],
    ['container, then supervisor', ['pid', 'supervisorPid']],
    ['supervisor, then container', ['supervisorPid', 'pid']],
  ] as const)('while nobody watches (%s) is found out at the start', async (_name, order) => {
    const id = await client.launch(['sleep', '1000']);
    const found = await client.get(id);
    await killService();
    for (const name of order) {
      if (isRunning(found[name])) process.kill(found[name], 'SIGKILL');
      if (name === 'supervisorPid') await waitFor(() => !isRunning(found[name]));
    }
    await start();
    const exit = await client.wait(id);
    // A supervisor that saw the end had written it down before it was killed, or not: both are the truth.
    expect([255, 137]).toContain(exit.exitCode);
    expect(exit.lost).toBe(exit.exitCode === 255);
    await waitFor(() => !isRunning(found.pid));
    await client.remove(id);
    expect(readdirSync(join(paths.runDir, 'c'))).toEqual([]);
  });

  it.runIf(requires('cgroup_v1'))(
    'in the host’s pid namespace: the cgroup finds what it left',
    async () => {
      const group = `/sys/fs/cgroup/pids/teu-test-${newContainerId().slice(0, 12)}`;
      mkdirSync(group);
      try {
        const spec = client.spec(['sh', '-c', 'sleep 1000 & sleep 1000 & echo both; wait']);
        const { linux } = spec;
        if (linux === undefined) throw new Error('no linux');
        linux.namespaces = linux.namespaces.filter(
          ({ type }) => type !== NamespaceType.NAMESPACE_TYPE_PID,
        );
        linux.cgroups = { v1TasksPaths: [join(group, 'tasks')], v2Directory: '', mounts: [] };
        const id = await client.launch(spec);
        await waitFor(async () => (await client.logText(id)) === 'both\n');
        const members = () =>
          readFileSync(join(group, 'cgroup.procs'), 'latin1')
            .split('\n')
            .filter((line) => line !== '');
        expect(members()).toHaveLength(3);
        process.kill((await client.get(id)).supervisorPid, 'SIGKILL');
        expect(await client.wait(id)).toMatchObject(lost);
        await waitFor(() => members().length === 0);
      } finally {
        rmdirSync(group);
      }
    },
  );

  it('of a joining program loses that one only', async () => {
    const id = await client.launch(['sleep', '1000']);
    const exec = await client.exec(id, ['sleep', '1000']);
    const { pid, supervisorPid } = await client.get(id, exec);
    process.kill(supervisorPid, 'SIGKILL');
    expect(await client.wait(id, exec)).toMatchObject(lost);
    await waitFor(() => !isRunning(pid));
    expect(await client.get(id)).toMatchObject({ state: ProcessState.PROCESS_STATE_RUNNING });
  });
});

isolated('an executor that dies within an operation (F04)', () => {
  const launching = FAILPOINTS.filter((name) => name.startsWith('executor.launch.'));
  const deleting = FAILPOINTS.filter((name) => name.startsWith('executor.delete.'));

  it.each(launching)('%s: the next one has the whole container or nothing of it', async (name) => {
    const instance = { ...paths };
    const before = leakSnapshot(instance);
    await service.stop();
    await start(`${name}=kill`);
    const id = newContainerId();
    await expect(client.launchContainer(['sleep', '1000'], id)).rejects.toMatchObject({
      reason: 'UNAVAILABLE',
    });
    await service.exited;
    service.channel.close();
    await start();
    const found = await client.processes();
    if (name === 'executor.launch.after-record') {
      expect(found).toHaveLength(1);
      expect(await client.runExec(id, ['echo', 'whole'])).toMatchObject({ stdout: 'whole\n' });
      await client.remove(id);
    } else {
      expect(found).toEqual([]);
    }
    expect(readdirSync(join(paths.dataDir, 'executor', 'c'))).toEqual([]);
    const kinds = ['mounts', 'networks', 'sockets'] as const;
    await service.stop();
    await expectNoLeaks(instance, before, { kinds });
    await start();
    await waitFor(() => supervisorsOf(id).length === 0);
  });

  it.each(deleting)('%s: the delete can be repeated', async (name) => {
    await service.stop();
    await start(`${name}=kill`);
    const id = await client.launch(['sleep', '1000']);
    await expect(client.remove(id)).rejects.toMatchObject({ reason: 'UNAVAILABLE' });
    await service.exited;
    service.channel.close();
    await start();
    expect(await client.wait(id)).toMatchObject({ exitCode: 137 });
    await client.remove(id, false);
    expect(readdirSync(join(paths.dataDir, 'executor', 'c'))).toEqual([]);
  });

  it('executor.recover.before-kill: what a lost supervisor left is killed in the end', async () => {
    const id = await client.launch(['sleep', '1000']);
    const { pid, supervisorPid } = await client.get(id);
    await killService();
    process.kill(supervisorPid, 'SIGKILL');
    await expect(start('executor.recover.before-kill=kill')).rejects.toThrow();
    await start();
    expect(await client.wait(id)).toMatchObject({ lost: true });
    await waitFor(() => !isRunning(pid));
  });
});

/** Supervisors name their container in their title. */
function supervisorsOf(id: string): string[] {
  return readdirSync('/proc').filter((name) => {
    if (!/^[0-9]+$/.test(name)) return false;
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'latin1').includes(id);
    } catch {
      return false;
    }
  });
}
