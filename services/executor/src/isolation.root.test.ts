import {
  mkdirSync,
  readFileSync,
  readlinkSync,
  rmdirSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { newContainerId } from '@teu/ids';
import { NamespaceType, SeccompProfile, type Spec } from '@teu/proto/executor';
import { waitFor } from '@teu/testing';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { exampleProcess } from './testing/example-spec.js';
import { startTestExecutor, type TestExecutor } from './testing/test-executor.js';

let executor: TestExecutor;
beforeAll(async () => {
  executor = await startTestExecutor();
});
afterEach(() => executor.client.removeAll());
afterAll(() => executor.stop());

const shell = (script: string, changes: Parameters<TestExecutor['client']['spec']>[1] = {}): Spec =>
  executor.client.spec(['sh', '-c', script], changes);
const stdoutOf = async (spec: Spec | string[]) => (await executor.client.run(spec)).stdout;
/** Cap* lines of a status file as one line. */
const CAPABILITIES = 'grep ^Cap /proc/self/status | sed "s/Cap\\(...\\):.0*/\\1=/" | tr "\\n" " "';

describe('capabilities (A10)', () => {
  const docker = 'a80425fb';

  it('are Docker’s for the first process; inheritable and ambient are empty', async () => {
    expect(await stdoutOf(shell(CAPABILITIES))).toBe(
      `Inh= Prm=${docker} Eff=${docker} Bnd=${docker} Amb= `,
    );
  });

  it('are the same for a program that joins', async () => {
    const id = await executor.client.launch(['sleep', '1000']);
    const { stdout } = await executor.client.runExec(id, ['sh', '-c', CAPABILITIES]);
    expect(stdout).toBe(`Inh= Prm=${docker} Eff=${docker} Bnd=${docker} Amb= `);
  });

  it('leave a user other than root only the bounding set, first and joining', async () => {
    const user = { uid: 1000, gid: 1000, additionalGids: [], username: '' };
    const expected = `Inh= Prm= Eff= Bnd=${docker} Amb= `;
    expect(await stdoutOf(shell(CAPABILITIES, { user }))).toBe(expected);
    const id = await executor.client.launch(['sleep', '1000']);
    const process = exampleProcess(['sh', '-c', CAPABILITIES], { user });
    expect((await executor.client.runExec(id, process)).stdout).toBe(expected);
  });

  it('that are not asked for are not there; ambient ones reach a user', async () => {
    const empty = { bounding: [], effective: [], permitted: [], inheritable: [], ambient: [] };
    expect(await stdoutOf(shell(CAPABILITIES, { capabilities: empty }))).toBe(
      'Inh= Prm= Eff= Bnd= Amb= ',
    );
    const one = ['CAP_NET_BIND_SERVICE'];
    const capabilities = {
      bounding: one,
      effective: one,
      permitted: one,
      inheritable: one,
      ambient: one,
    };
    const user = { uid: 1000, gid: 1000, additionalGids: [], username: '' };
    expect(await stdoutOf(shell(CAPABILITIES, { capabilities, user }))).toBe(
      'Inh=400 Prm=400 Eff=400 Bnd=400 Amb=400 ',
    );
  });
});

describe('the working directory (A02)', () => {
  it.each(Array.from({ length: 12 }, (_, index) => index + 3))(
    'is never a descriptor of the host: /proc/self/fd/%i',
    async (number) => {
      const spec = executor.client.spec(['ls', '/'], { cwd: `/proc/self/fd/${number}` });
      await expect(executor.client.run(spec)).rejects.toMatchObject({
        reason: 'LAUNCH_FAILED',
        metadata: { step: 'cwd' },
      });
    },
  );

  it('is not reached through a link in the image either', async () => {
    symlinkSync('/proc/self/fd/7', join(executor.directory.root, 'leak'));
    const spec = executor.client.spec(['ls', '/'], { cwd: '/leak' });
    await expect(executor.client.run(spec)).rejects.toMatchObject({ reason: 'LAUNCH_FAILED' });
  });

  it('and a joining program’s are as safe', async () => {
    const id = await executor.client.launch(['sleep', '1000']);
    for (let number = 3; number < 16; number += 1) {
      const process = exampleProcess(['ls', '/'], { cwd: `/proc/self/fd/${number}` });
      await expect(executor.client.exec(id, process)).rejects.toMatchObject({
        reason: 'LAUNCH_FAILED',
      });
    }
  });
});

describe('descriptors', () => {
  it('of the host are not inherited, by first or joining programs', async () => {
    // No shell around it: one that makes a pipe has more for a moment. The listing's own is closed when it is looked at.
    const list = ['ls', '-l', '/proc/self/fd'];
    const numbers = (text: string) => [...text.matchAll(/ (\d+) -> /g)].map(([, number]) => number);
    const id = await executor.client.launch(['sleep', '1000']);
    const { stdout } = await executor.client.runExec(id, list);
    expect(numbers(stdout)).toEqual(['0', '1', '2']);
    expect(numbers(await stdoutOf(list))).toEqual(['0', '1', '2']);
  });
});

describe('file systems', () => {
  it('stand as Docker’s do', async () => {
    const script =
      'cut -d" " -f2,3 /proc/mounts 2>/dev/null || sed "s/^[^ ]* \\([^ ]* [^ ]*\\).*/\\1/" /proc/mounts';
    const mounts = (await stdoutOf(shell(script))).trim().split('\n');
    for (const mount of [
      '/proc proc',
      '/dev tmpfs',
      '/dev/pts devpts',
      '/sys sysfs',
      '/dev/mqueue mqueue',
      '/dev/shm tmpfs',
    ]) {
      expect(mounts).toContain(mount);
    }
  });

  it('hide what tells of the host and refuse what changes it', async () => {
    const script =
      'cat /proc/kcore | wc -c; ls /sys/firmware | wc -l; echo x 2>/dev/null > /proc/sys/kernel/core_pattern || echo ro; ' +
      'echo b 2>/dev/null > /proc/sysrq-trigger || echo ro; mkdir /sys/x 2>/dev/null || echo ro';
    expect((await stdoutOf(shell(script))).split('\n')).toEqual(['0', '0', 'ro', 'ro', 'ro', '']);
  });

  it('have the usual devices and no others', async () => {
    const script = 'ls /dev | tr "\\n" " "; stat -c %t:%T:%a /dev/null /dev/tty';
    const [names, ...nodes] = (await stdoutOf(shell(script))).trim().split('\n');
    expect(`${names}`).toBe(
      'fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero 1:3:666',
    );
    expect(nodes).toEqual(['5:0:666']);
  });

  it('are read-only when the root is', async () => {
    const spec = shell('touch /x 2>/dev/null || echo ro; touch /dev/shm/x && echo rw');
    if (spec.root !== undefined) spec.root.readonly = true;
    expect(await stdoutOf(spec)).toBe('ro\nrw\n');
  });

  it('are bound from the host, read-only on demand', async () => {
    const source = join(executor.directory.path, 'shared');
    mkdirSync(source);
    writeFileSync(join(source, 'file'), 'content');
    const spec = shell('cat /a/b/file; touch /a/b/x 2>/dev/null || echo -ro; echo new > /c/new');
    spec.mounts.push(
      { destination: '/a/b', type: 'bind', source, options: ['rbind', 'ro'] },
      { destination: '/c', type: '', source, options: ['bind'] },
      { destination: '/t', type: 'tmpfs', source: 'tmpfs', options: ['size=1m', 'nosuid'] },
    );
    expect(await stdoutOf(spec)).toBe('content-ro\n');
    expect(readFileSync(join(source, 'new'), 'utf8')).toBe('new\n');
  });

  it('of the container leave no mount on the host', async () => {
    // All of them are made below this directory; elsewhere other tests mount and unmount meanwhile.
    const ours = () =>
      readFileSync('/proc/self/mountinfo', 'utf8')
        .split('\n')
        .filter((line) => line.includes(executor.directory.path));
    const before = ours();
    const id = await executor.client.launch(['sleep', '1000']);
    expect(await executor.client.runExec(id, ['cat', '/proc/mounts'])).toMatchObject({
      stdout: expect.stringContaining(' / ') as string,
    });
    expect(ours()).toEqual(before);
    await executor.client.remove(id);
    expect(ours()).toEqual(before);
  });
});

describe('the system call filter', () => {
  it('is in force for first and joining programs', async () => {
    const script = 'grep ^Seccomp: /proc/self/status; mount -t tmpfs x /tmp 2>&1';
    const expected = 'Seccomp:\t2\n';
    expect(await stdoutOf(shell(script))).toMatch(expected);
    expect(await stdoutOf(shell(script))).toMatch('permission denied');
    const id = await executor.client.launch(['sleep', '1000']);
    const { stdout } = await executor.client.runExec(id, ['sh', '-c', script]);
    expect(stdout).toMatch(expected);
  });

  it('is absent only when that is asked for', async () => {
    const spec = shell('grep ^Seccomp: /proc/self/status');
    if (spec.linux !== undefined) {
      spec.linux.seccomp = { profile: SeccompProfile.SECCOMP_PROFILE_UNCONFINED };
    }
    expect(await stdoutOf(spec)).toBe('Seccomp:\t0\n');
  });
});

describe('other settings', () => {
  it('no_new_privs, the OOM score and kernel parameters are as asked', async () => {
    const spec = shell(
      'grep ^NoNewPrivs /proc/self/status; cat /proc/self/oom_score_adj /proc/sys/kernel/msgmax /proc/sys/net/ipv4/ip_forward',
      { noNewPrivileges: true, oomScoreAdj: 500 },
    );
    if (spec.linux !== undefined) {
      spec.linux.sysctl = { 'kernel.msgmax': '12345', 'net.ipv4.ip_forward': '1' };
    }
    expect(await stdoutOf(spec)).toBe('NoNewPrivs:\t1\n500\n12345\n1\n');
  });

  it('the host’s network is shared when it is not in the list', async () => {
    const spec = shell('readlink /proc/self/ns/net');
    if (spec.linux !== undefined) {
      const own = spec.linux.namespaces;
      spec.linux.namespaces = own.filter(
        ({ type }) => type !== NamespaceType.NAMESPACE_TYPE_NETWORK,
      );
    }
    const { stdout } = await executor.client.run(spec);
    expect(stdout.trim()).toBe(readlinkSync('/proc/self/ns/net'));
  });

  it('time is offset', async () => {
    const spec = shell('sed "s/\\..*//" /proc/uptime');
    if (spec.linux !== undefined) {
      spec.linux.timeOffsets = { boottime: { secs: 1_000_000, nanosecs: 0 } };
    }
    const uptime = Number(readFileSync('/proc/uptime', 'latin1').split('.')[0]);
    const shifted = Number((await stdoutOf(spec)).trim());
    expect(Math.abs(shifted - uptime - 1_000_000)).toBeLessThan(5);
  });
});

describe('control groups', () => {
  const hierarchy = '/sys/fs/cgroup/pids';
  const mounts = readFileSync('/proc/self/mountinfo', 'latin1').split('\n');
  const unified = mounts.find((line) => line.includes(' - cgroup2 '))?.split(' ')[4] ?? '';
  const hasV1 = readFileSync('/proc/self/mountinfo', 'latin1').includes(` ${hierarchy} `);

  it.runIf(unified !== '')('of version 2 are born into', async () => {
    const group = join(unified, `teu-test-${newContainerId().slice(0, 12)}`);
    mkdirSync(group);
    try {
      const script = 'mkdir /sys/fs/cgroup/x 2>/dev/null || echo ro; echo end; sleep 1000';
      const spec = shell(script);
      if (spec.linux !== undefined) {
        const mount = {
          destination: '/sys/fs/cgroup',
          type: 'cgroup2',
          source: 'cgroup2',
          options: [],
        };
        spec.linux.cgroups = { v1TasksPaths: [], v2Directory: group, mounts: [mount] };
      }
      const id = await executor.client.launch(spec);
      const look = 'grep ^0: /proc/self/cgroup; ls -d /sys/fs/cgroup/cgroup.procs';
      expect(await executor.client.runExec(id, ['sh', '-c', look])).toMatchObject({
        stdout: '0::/\n/sys/fs/cgroup/cgroup.procs\n',
      });
      const members = readFileSync(join(group, 'cgroup.procs'), 'latin1').split('\n');
      expect(members).toContain(String((await executor.client.get(id)).pid));
      await waitFor(async () => (await executor.client.logText(id)).endsWith('end\n'));
      expect(await executor.client.logText(id)).toBe('ro\nend\n');
    } finally {
      await executor.client.removeAll();
      rmdirSync(group);
    }
  });

  it.skipIf(!hasV1)('are joined by first and joining programs, and shown read-only', async () => {
    const group = join(hierarchy, `teu-test-${newContainerId().slice(0, 12)}`);
    mkdirSync(group);
    try {
      const script =
        'cat /proc/self/cgroup | grep :pids:; ls /sys/fs/cgroup; ' +
        'echo 1 2>/dev/null > /sys/fs/cgroup/pids/pids.max || echo ro; ' +
        'mkdir /sys/fs/cgroup/x 2>/dev/null || echo ro; echo end; sleep 1000';
      const spec = shell(script);
      if (spec.linux !== undefined) {
        spec.linux.cgroups = {
          v1TasksPaths: [join(group, 'tasks')],
          v2Directory: '',
          mounts: [
            {
              destination: '/sys/fs/cgroup/pids',
              type: 'cgroup',
              source: 'cgroup',
              options: ['pids'],
            },
          ],
        };
      }
      const id = await executor.client.launch(spec);
      const { stdout } = await executor.client.runExec(id, [
        'sh',
        '-c',
        'grep :pids: /proc/self/cgroup',
      ]);
      expect(stdout).toMatch(/:pids:\/\n$/);
      const members = readFileSync(join(group, 'cgroup.procs'), 'latin1').split('\n');
      expect(members).toContain(String((await executor.client.get(id)).pid));
      await waitFor(async () => (await executor.client.logText(id)).endsWith('end\n'));
      const lines = (await executor.client.logText(id)).trim().split('\n');
      expect(lines.slice(1)).toEqual(['pids', 'ro', 'ro', 'end']);
    } finally {
      await executor.client.removeAll();
      rmdirSync(group);
    }
  });
});
