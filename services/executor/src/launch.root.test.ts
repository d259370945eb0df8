import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { newContainerId } from '@teu/ids';
import { ExecutorServiceService as Service, ProcessState } from '@teu/proto/executor';
import { waitFor } from '@teu/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestExecutor, type TestExecutor } from './testing/test-executor.js';

let executor: TestExecutor;
beforeAll(async () => {
  executor = await startTestExecutor();
});
afterEach(() => executor.client.removeAll());
afterAll(() => executor.stop());

/** What an executor may leave behind on disk. */
const leftovers = () => [
  ...readdirSync(`${executor.directory.dataDir}/executor/c`),
  ...readdirSync(`${executor.directory.runDir}/c`),
];

describe('a launched program', () => {
  it('runs; its exit code and its output are kept apart by stream', async () => {
    const outcome = await executor.client.run(['sh', '-c', 'echo out; echo err >&2; exit 7']);
    expect(outcome).toMatchObject({ stdout: 'out\n', stderr: 'err\n' });
    expect(outcome.exit).toMatchObject({ exitCode: 7, signal: 0, lost: false });
    expect(outcome.exit.exitTime).toBeInstanceOf(Date);
  });

  it('is pid 1 of its own namespaces, with its host name and nothing of the host’s processes', async () => {
    const { stdout } = await executor.client.run([
      'sh',
      '-c',
      'echo $$; hostname; ls -d /proc/[0-9]*',
    ]);
    const [pid, name, ...processes] = stdout.trim().split('\n');
    expect({ pid, name }).toEqual({ pid: '1', name: 'example' });
    expect(processes.length).toBeLessThan(4);
    const { stdout: links } = await executor.client.run([
      'sh',
      '-c',
      'for n in pid net mnt ipc uts cgroup time; do readlink /proc/self/ns/$n; done',
    ]);
    for (const link of links.trim().split('\n')) {
      const kind = link.split(':')[0];
      expect(readlinkSync(`/proc/self/ns/${kind}`)).not.toBe(link);
    }
  });

  it('has its end in the answer, if it ends while the answer is held back for it', async () => {
    const launch = (args: string[], lingerMs: number) =>
      executor.client.launchContainer(args, newContainerId(), undefined, lingerMs);
    const ended = await launch(['sh', '-c', 'exit 3'], 900);
    expect(ended.process?.exit?.exitCode).toBe(3);
    expect(ended.trace?.phases.at(-1)?.name).toBe('linger');
    const running = await launch(['sleep', '100'], 5);
    expect(running.process).toMatchObject({
      state: ProcessState.PROCESS_STATE_RUNNING,
      exit: undefined,
    });
    await expect(launch(['true'], 1001)).rejects.toMatchObject({ reason: 'INVALID_ARGUMENT' });
  });

  it('tells the phases of its start, and when it began', async () => {
    const before = Date.now();
    const { process, trace } = await executor.client.launchContainer(['true']);
    const names = trace?.phases.map(({ name }) => name) ?? [];
    expect(names).toEqual([
      'prepare',
      'spawn',
      'init',
      'plan',
      'clone',
      'rootfs',
      'joined',
      'mounts',
      'pivot',
      'masks',
      'seccomp',
      'exec',
      'report',
    ]);
    expect(process?.startTime?.getTime()).toBeGreaterThanOrEqual(before);
  });

  it('that a signal ends has 128 plus its number', async () => {
    const id = await executor.client.launch(['sleep', '1000']);
    await executor.client.signal(id, 9);
    expect(await executor.client.wait(id)).toMatchObject({ exitCode: 137, signal: 9 });
    await expect(executor.client.signal(id, 15)).rejects.toMatchObject({
      reason: 'PROCESS_NOT_RUNNING',
    });
  });

  it.each([
    ['user', '1000:1000 1000,2000 user\n'],
    ['1000', '1000:1000 1000,2000 user\n'],
    ['1000:2000', '1000:2000 2000 user\n'],
    ['user:extra', '1000:2000 2000 user\n'],
    ['4000', '4000:0 0 4000\n'],
  ])('runs as user %s', async (username, expected) => {
    const script = 'echo $(id -u):$(id -g) $(id -G | tr " " ,) $(id -un 2>/dev/null)';
    const user = { uid: 0, gid: 0, additionalGids: [], username };
    const { stdout } = await executor.client.run(
      executor.client.spec(['sh', '-c', script], { user }),
    );
    expect(stdout).toBe(expected);
  });

  it('has its limits, mask and working directory, which is made if it is missing', async () => {
    const spec = executor.client.spec(
      ['sh', '-c', 'pwd; umask; ulimit -n; ulimit -Hn; ulimit -c'],
      {
        cwd: '/srv/new/place',
        user: { uid: 0, gid: 0, additionalGids: [], username: '', umask: 0o027 },
        rlimits: [
          { type: 'RLIMIT_NOFILE', soft: 100, hard: 200 },
          { type: 'RLIMIT_CORE', soft: -1, hard: -1 },
        ],
      },
    );
    const { stdout } = await executor.client.run(spec);
    expect(stdout.trim().split('\n')).toEqual([
      '/srv/new/place',
      '0027',
      '100',
      '200',
      'unlimited',
    ]);
  });
});

describe('a launch that fails', () => {
  it.each([
    ['PROGRAM_NOT_FOUND', ['nosuch'], {}],
    ['PROGRAM_NOT_FOUND', ['/bin/sh/x'], {}],
    ['PROGRAM_NOT_EXECUTABLE', ['/etc/passwd'], {}],
    ['PROGRAM_NOT_EXECUTABLE', ['/tmp'], {}],
    [
      'USER_NOT_FOUND',
      ['true'],
      { user: { uid: 0, gid: 0, additionalGids: [], username: 'nobody' } },
    ],
    ['INVALID_SPEC', ['true'], { cwd: 'relative' }],
  ])('says %s and leaves nothing', async (reason, args, changes) => {
    const id = newContainerId();
    const spec = executor.client.spec(args, changes);
    await expect(executor.client.launchContainer(spec, id)).rejects.toMatchObject({ reason });
    await expect(executor.client.get(id)).rejects.toMatchObject({ reason: 'CONTAINER_NOT_FOUND' });
    expect(leftovers()).toEqual([]);
  });

  it('says at which step and with which errno', async () => {
    const spec = executor.client.spec(['true']);
    spec.mounts.push({ destination: '/x', type: 'bind', source: '/no/such/source', options: [] });
    await expect(executor.client.launch(spec)).rejects.toMatchObject({
      reason: 'LAUNCH_FAILED',
      metadata: { step: 'mounts', errno: 'ENOENT' },
    });
  });

  it('because the id is taken changes nothing', async () => {
    const id = await executor.client.launch(['sleep', '1000']);
    const again = executor.client.launchContainer(['true'], id);
    await expect(again).rejects.toMatchObject({ reason: 'CONTAINER_EXISTS' });
    expect(await executor.client.get(id)).toMatchObject({
      state: ProcessState.PROCESS_STATE_RUNNING,
    });
  });
});

describe('created and started in two calls', () => {
  it('runs with the second', async () => {
    const { client } = executor;
    const id = newContainerId();
    const spec = client.spec(['sh', '-c', 'echo started; exit 3']);
    const { process } = await client.channel.unary(Service.createContainer, {
      containerId: id,
      spec,
      logLimits: undefined,
    });
    expect(process).toMatchObject({ state: ProcessState.PROCESS_STATE_CREATED });
    expect(process?.pid).toBeGreaterThan(0);
    expect(await client.log(id)).toEqual([]);
    await client.channel.unary(Service.startContainer, { containerId: id });
    expect(await client.outcome(id)).toMatchObject({ stdout: 'started\n', exit: { exitCode: 3 } });
    await expect(
      client.channel.unary(Service.startContainer, { containerId: id }),
    ).rejects.toMatchObject({ reason: 'INVALID_STATE' });
    await client.remove(id);
  });

  it('leaves nothing if the program is not there', async () => {
    const { channel } = executor.client;
    const id = newContainerId();
    const spec = executor.client.spec(['nosuch']);
    await channel.unary(Service.createContainer, { containerId: id, spec, logLimits: undefined });
    await expect(channel.unary(Service.startContainer, { containerId: id })).rejects.toMatchObject({
      reason: 'PROGRAM_NOT_FOUND',
    });
    expect(leftovers()).toEqual([]);
  });
});

describe('deleting', () => {
  it('refuses what runs, forces on demand, and twice is once', async () => {
    const { client } = executor;
    const id = await client.launch(['sleep', '1000']);
    const exec = await client.exec(id, ['sleep', '1000']);
    await expect(client.remove(id, false)).rejects.toMatchObject({ reason: 'CONTAINER_RUNNING' });
    await Promise.all([client.remove(id), client.remove(id)]);
    await client.remove(id);
    await expect(client.get(id)).rejects.toMatchObject({ reason: 'CONTAINER_NOT_FOUND' });
    await expect(client.get(id, exec)).rejects.toMatchObject({ reason: 'CONTAINER_NOT_FOUND' });
    expect(leftovers()).toEqual([]);
  });
});

describe('deleting during a launch', () => {
  it('waits for it, and leaves nothing', async () => {
    const { client } = executor;
    for (let round = 0; round < 5; round += 1) {
      const id = newContainerId();
      const launched = client.launchContainer(['sleep', '1000'], id);
      await Promise.all([launched, client.remove(id)]);
      await client.remove(id);
      expect(leftovers()).toEqual([]);
    }
  });
});

describe('asking during a launch', () => {
  it('waits for its end', async () => {
    const { client } = executor;
    const id = newContainerId();
    const launched = client.launchContainer(['sleep', '1000'], id);
    const again = client.launchContainer(['true'], id).catch(() => client.get(id));
    await Promise.all([launched, again]);
    expect(await again).toMatchObject({ containerId: id });
  });
});

describe('many at a time', () => {
  it('300 programs that end at once have all run, whoever is faster', async () => {
    const { client } = executor;
    const next = Array.from({ length: 300 }).values();
    const worker = async () => {
      while (next.next().done !== true) {
        const id = await client.launch(['sh', '-c', 'exit 3']);
        expect(await client.wait(id)).toMatchObject({ exitCode: 3, lost: false });
        await client.remove(id, false);
      }
    };
    await Promise.all(Array.from({ length: 8 }, worker));
  });

  it('50 launches leave no descriptor, directory, socket or process behind', async () => {
    const { client } = executor;
    await client.remove(await client.launch(['true']));
    const descriptors = () => readdirSync('/proc/self/fd').length;
    const before = descriptors();
    const ids = await Promise.all(
      Array.from({ length: 50 }, (_, index) => client.launch(['sh', '-c', `exit ${index}`])),
    );
    const exits = await Promise.all(ids.map((id) => client.wait(id)));
    expect(exits.map(({ exitCode }) => exitCode)).toEqual(ids.map((_, index) => index));
    const supervisors = (await client.processes()).map(({ supervisorPid }) => supervisorPid);
    expect(supervisors).toHaveLength(50);
    await client.removeAll();
    const failing = Array.from({ length: 20 }, () => client.launch(['nosuch']));
    expect((await Promise.allSettled(failing)).every(({ status }) => status === 'rejected')).toBe(
      true,
    );
    expect(leftovers()).toEqual([]);
    expect(await client.processes()).toEqual([]);
    await waitFor(() => descriptors() <= before, { what: 'descriptors are closed' });
    await waitFor(() => supervisors.every((pid) => !exists(pid)), {
      what: 'supervisors are reaped',
    });
  });
});

function exists(pid: number): boolean {
  try {
    readFileSync(`/proc/${pid}/stat`);
    return true;
  } catch {
    return false;
  }
}
