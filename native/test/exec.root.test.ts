import { readFileSync, readlinkSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { launch, type LaunchedSupervisor, type ProcessIdentity } from '../ts/index.js';
import { makeScratch, type Scratch } from './support/busybox-rootfs.js';
import { containerPlan, DEFAULT_CAPABILITIES, execPlan, processPlan } from './support/plans.js';
import { runToEnd } from './support/run.js';

describe('an exec', () => {
  let scratch: Scratch;
  let container: LaunchedSupervisor;
  let target: ProcessIdentity;
  beforeEach(async () => {
    scratch = makeScratch();
    container = launch(containerPlan(scratch, processPlan(['sleep', '1000'])));
    target = (await container.connection.started()).process;
  });
  afterEach(async () => {
    await container.connection.signal(9).catch(() => undefined);
    await container.connection.released();
    container.connection.close();
    scratch.dispose();
  });

  const run = (script: string, changes = {}) =>
    runToEnd(execPlan(scratch, target, processPlan(['sh', '-c', script], changes)));

  it('runs in all namespaces of the container', async () => {
    const { stdout, exit } = await run('for ns in /proc/self/ns/*; do readlink $ns; done; exit 3');
    const own = stdout.trim().split('\n');
    for (const name of ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'uts']) {
      expect(own).toContain(readlinkSync(`/proc/${target.pid}/ns/${name}`));
    }
    expect(exit.code).toBe(3);
  });

  it('has a small pid and the host name of the container', async () => {
    const { stdout } = await run('hostname; test $$ -lt 10; echo $?');
    expect(stdout).toBe('box\n0\n');
  });

  it('inherits no descriptor beyond 2', async () => {
    const plan = execPlan(scratch, target, processPlan(['ls', '/proc/self/fd']));
    // 3 is the directory that ls itself reads.
    expect((await runToEnd(plan)).stdout).toBe('0\n1\n2\n3\n');
  });

  it('has exactly the capabilities of its plan', async () => {
    const { stdout } = await run('grep ^Cap /proc/self/status');
    const mask = DEFAULT_CAPABILITIES.toString(16).padStart(16, '0');
    const none = '0'.repeat(16);
    expect(stdout.replace(/\s+/g, ' ').trim()).toBe(
      `CapInh: ${none} CapPrm: ${mask} CapEff: ${mask} CapBnd: ${mask} CapAmb: ${none}`,
    );
  });

  it('looks its user up in the container', async () => {
    const { stdout } = await run('id', {
      user: { kind: 'name', name: 'web', additionalGids: [7] },
    });
    expect(stdout).toBe('uid=1000(web) gid=1000(web) groups=7,1000(web),2000(logs)\n');
  });

  it('is gone with the container', async () => {
    const inner = launch(execPlan(scratch, target, processPlan(['sleep', '1000'])));
    await inner.connection.started();
    await container.connection.signal(9);
    expect(await inner.connection.exited()).toMatchObject({ code: 137, signal: 9 });
    await inner.connection.released();
    inner.connection.close();
  });

  it('refuses a process that has the number of the one that was meant', async () => {
    const stale = { pid: target.pid, startTicks: target.startTicks + 1n };
    const plan = execPlan(scratch, stale, processPlan(['true']));
    await expect(runToEnd(plan)).rejects.toMatchObject({
      step: 'namespaces',
      code: 'ESRCH',
    });
  });

  it.each(Array.from({ length: 62 }, (_, index) => index + 3).filter((fd) => fd % 8 === 3))(
    'gets no working directory through descriptor %i',
    async (fd) => {
      const plan = execPlan(scratch, target, processPlan(['true'], { cwd: `/proc/self/fd/${fd}` }));
      await expect(runToEnd(plan)).rejects.toMatchObject({ step: 'cwd' });
    },
  );

  it('tells which program could not be executed, and why', async () => {
    const missing = execPlan(scratch, target, processPlan(['nosuch']));
    await expect(runToEnd(missing)).rejects.toMatchObject({
      step: 'exec',
      syscall: 'execve',
      path: 'nosuch',
      code: 'ENOENT',
    });
    const denied = execPlan(scratch, target, processPlan(['/etc/passwd']));
    await expect(runToEnd(denied)).rejects.toMatchObject({
      step: 'exec',
      path: '/etc/passwd',
      code: 'EACCES',
    });
  });

  it('leaves what it started in the background to the container', async () => {
    const { exit } = await run('sleep 1000 >/dev/null 2>&1 & exit 0');
    expect(exit.code).toBe(0);
    const { stdout } = await run('ps -o ppid,args | grep "sleep 1000" | grep -v grep');
    expect(stdout).toMatch(/^ +1 sleep 1000$/m);
    expect(readFileSync(`/proc/${target.pid}/stat`, 'utf8')).toContain('(sleep)');
  });
});
