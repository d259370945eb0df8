import { newContainerId } from '@teu/ids';
import {
  ExecutorServiceService as Service,
  ProcessState,
  SeccompProfile,
} from '@teu/proto/executor';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startTestExecutor, type TestExecutor } from './testing/test-executor.js';

let executor: TestExecutor;
beforeAll(async () => {
  executor = await startTestExecutor();
});
afterEach(() => executor.client.removeAll());
afterAll(() => executor.stop());

describe('a container made in advance', () => {
  it('runs a program that nobody knew of then, and is a container like any other', async () => {
    const { client } = executor;
    const id = await client.prepare();
    expect(await client.get(id)).toMatchObject({ state: ProcessState.PROCESS_STATE_CREATED });
    const spec = client.spec(['sh', '-c', 'hostname; echo $$ $X; exit 5'], {
      env: ['PATH=/bin', 'X=y'],
    });
    const { process, trace } = await client.launchPrepared(id, { ...spec, hostname: 'now' }, 900);
    expect(process?.exit).toMatchObject({ exitCode: 5 });
    expect(trace?.phases.map(({ name }) => name)).toContain('exec');
    expect(await client.outcome(id)).toMatchObject({ stdout: 'now\n1 y\n' });
  });

  it('can be joined, signalled and deleted', async () => {
    const { client } = executor;
    const id = await client.prepare();
    await client.launchPrepared(id, ['sleep', '1000']);
    expect(await client.runExec(id, ['cat', '/proc/1/comm'])).toMatchObject({ stdout: 'sleep\n' });
    await client.signal(id, 9);
    expect(await client.wait(id)).toMatchObject({ exitCode: 137 });
  });

  it.each([
    ['another root', (spec) => ({ ...spec, root: { mounts: [], readonly: false } })],
    ['a terminal', (spec) => ({ ...spec, process: { ...spec.process, terminal: true } })],
    ['input', (spec) => ({ ...spec, process: { ...spec.process, stdinOpen: true } })],
    ['more mounts', (spec) => ({ ...spec, mounts: [...spec.mounts, TMPFS] })],
    ['another filter', (spec) => ({ ...spec, linux: { ...spec.linux, seccomp: UNCONFINED } })],
  ] as [string, (spec: ReturnType<TestExecutor['client']['spec']>) => never][])(
    'does not serve a spec with %s, and stays as it is',
    async (_what, change) => {
      const { client } = executor;
      const id = await client.prepare();
      const other = change(client.spec(['true']));
      await expect(client.launchPrepared(id, other)).rejects.toMatchObject({
        status: expect.stringMatching(/^(FAILED_PRECONDITION|INVALID_ARGUMENT)$/) as string,
      });
      await client.launchPrepared(id, ['true']);
    },
  );

  it('is launched once, and not started as if it knew its program', async () => {
    const { client } = executor;
    const id = await client.prepare();
    const refusal = { reason: 'INVALID_STATE' };
    const start = client.channel.unary(Service.startContainer, { containerId: id });
    await expect(start).rejects.toMatchObject(refusal);
    const outcomes = await Promise.allSettled(
      ['1', '2', '3'].map((name) => client.launchPrepared(id, ['sleep', `100${name}`])),
    );
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    await expect(client.launchPrepared(id, ['true'])).rejects.toMatchObject(refusal);
    const ordinary = await client.launch(['sleep', '1000']);
    await expect(client.launchPrepared(ordinary, ['true'])).rejects.toMatchObject(refusal);
  });

  it('is gone with a program that cannot be run', async () => {
    const { client } = executor;
    const id = await client.prepare();
    await expect(client.launchPrepared(id, ['/nosuch'])).rejects.toMatchObject({
      reason: 'PROGRAM_NOT_FOUND',
    });
    await expect(client.get(id)).rejects.toMatchObject({ reason: 'CONTAINER_NOT_FOUND' });
    await expect(client.launchPrepared(newContainerId(), ['true'])).rejects.toMatchObject({
      reason: 'CONTAINER_NOT_FOUND',
    });
  });

  it('that was killed before its time says so', async () => {
    const { client } = executor;
    const id = await client.prepare();
    await client.signal(id, 9);
    await client.wait(id);
    await expect(client.launchPrepared(id, ['true'])).rejects.toMatchObject({
      reason: 'INVALID_STATE',
    });
  });
});

const TMPFS = { destination: '/more', type: 'tmpfs', source: 'tmpfs', options: [] };
const UNCONFINED = { profile: SeccompProfile.SECCOMP_PROFILE_UNCONFINED };
