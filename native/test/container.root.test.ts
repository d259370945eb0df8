import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LaunchPlan } from '../ts/index.js';
import { makeScratch, mountsBelow, type Scratch } from './support/busybox-rootfs.js';
import { containerPlan, DEFAULT_CAPABILITIES, processPlan } from './support/plans.js';
import { runToEnd } from './support/run.js';
import { denySystemCalls } from './support/seccomp-filter.js';

describe('a container', () => {
  let scratch: Scratch;
  beforeEach(() => {
    scratch = makeScratch();
  });
  afterEach(() => scratch.dispose());

  const plan = (...argv: string[]): LaunchPlan => containerPlan(scratch, processPlan(argv));
  const run = (...argv: string[]) => runToEnd(plan(...argv));
  const shell = (script: string) => run('sh', '-c', script);

  it('runs a program to its end and tells its exit code', async () => {
    const finished = await shell('echo out; echo err >&2; exit 7');
    expect(finished).toMatchObject({ stdout: 'out\n', stderr: 'err\n' });
    expect(finished.exit).toMatchObject({ code: 7, signal: 0, coreDumped: false });
  });

  it('is pid 1 under its own host name, on its own root', async () => {
    const { stdout } = await shell('echo $$; hostname; ls /; pwd');
    expect(stdout).toBe('1\nbox\nbin\ndev\netc\nproc\nsys\ntmp\n/\n');
  });

  it('has namespaces of its own', async () => {
    const { stdout } = await shell('for ns in /proc/self/ns/*; do readlink $ns; done');
    const own = stdout.trim().split('\n');
    const names = ['cgroup', 'ipc', 'mnt', 'net', 'pid', 'time', 'uts'];
    for (const name of names) {
      const host = readlinkSync(`/proc/self/ns/${name}`);
      expect(own).not.toContain(host);
      expect(own.some((link) => link.startsWith(`${name}:`))).toBe(true);
    }
  });

  it('has its loopback up and no other interface', async () => {
    const { stdout } = await shell('ip -o link');
    expect(stdout).toMatch(/^1: lo: <LOOPBACK,UP,LOWER_UP>/);
    expect(
      stdout
        .trim()
        .split('\n')
        .filter((line) => line.includes('state UP')),
    ).toEqual([]);
  });

  it('has exactly the capabilities of its plan', async () => {
    const { stdout } = await shell('grep ^Cap /proc/self/status');
    const mask = DEFAULT_CAPABILITIES.toString(16).padStart(16, '0');
    const none = '0'.repeat(16);
    expect(stdout.replace(/\s+/g, ' ').trim()).toBe(
      `CapInh: ${none} CapPrm: ${mask} CapEff: ${mask} CapBnd: ${mask} CapAmb: ${none}`,
    );
  });

  it('has ambient capabilities for a user without privileges if asked', async () => {
    const bind = 1n << 10n;
    const value = plan('sh', '-c', 'id -u; grep -E "Cap(Eff|Amb)" /proc/self/status');
    value.process.user = { kind: 'ids', uid: 1000, gid: 1000, additionalGids: [2000] };
    value.process.capabilities = {
      bounding: bind,
      effective: bind,
      permitted: bind,
      inheritable: bind,
      ambient: bind,
    };
    const { stdout } = await runToEnd(value);
    expect(stdout).toBe(`1000\nCapEff:\t0000000000000400\nCapAmb:\t0000000000000400\n`);
  });

  it.each([true, false])('loads its seccomp filter (no_new_privs: %s)', async (nnp) => {
    const value = plan(
      'sh',
      '-c',
      'mkdir /tmp/x; grep -E "^(Seccomp|NoNewPrivs):" /proc/self/status',
    );
    value.process.noNewPrivileges = nnp;
    value.process.seccomp = { filter: denySystemCalls('mkdir', 'mkdirat'), flags: 0 };
    const { stdout, stderr } = await runToEnd(value);
    expect(stdout).toBe(`NoNewPrivs:\t${nnp ? 1 : 0}\nSeccomp:\t2\n`);
    expect(stderr).toContain('Operation not permitted');
  });

  it('hides masked paths and protects read-only ones', async () => {
    const { stdout, stderr } = await shell(
      'wc -c < /proc/keys; ls -A /sys/firmware | wc -l; echo 1 > /proc/sys/kernel/domainname; ' +
        'touch /sys/firmware/x; cat /proc/timer_list',
    );
    expect(stdout).toBe('0\n0\n');
    expect(stderr).toContain("can't create /proc/sys/kernel/domainname: Read-only file system");
    expect(stderr).toContain('/sys/firmware/x: Read-only file system');
  });

  it('inherits no descriptor beyond 2', async () => {
    const { stdout } = await shell('ls /proc/$$/fd; true');
    expect(stdout.trim().split('\n').sort()).toEqual(['0', '1', '2']);
  });

  it('has a read-only root if asked, with a writable /dev and tmpfs', async () => {
    const value = plan('sh', '-c', 'touch /x; touch /dev/shm/y && echo shm; echo z > /dev/null');
    value.rootfs = { path: scratch.root, mounts: [], readonly: true, propagation: 0 };
    const { stdout, stderr } = await runToEnd(value);
    expect(stderr).toContain('/x: Read-only file system');
    expect(stdout).toBe('shm\n');
  });

  it('takes rlimits, umask, oom score, sysctls and time offsets', async () => {
    const value = plan(
      'sh',
      '-c',
      'ulimit -n; umask; cat /proc/self/oom_score_adj /proc/sys/net/ipv4/ip_forward; ' +
        'cut -d. -f1 /proc/uptime 2>/dev/null || head -c 10 /proc/uptime',
    );
    value.process.rlimits = [{ resource: 7, soft: 77n, hard: 88n }];
    value.process.umask = 0o027;
    value.process.oomScoreAdj = 123;
    value.sysctl = [{ key: 'net.ipv4.ip_forward', value: '1' }];
    value.timeOffsets = { monotonicNs: 0n, boottimeNs: 1_000_000_000n * 1_000_000_000n };
    const { stdout } = await runToEnd(value);
    const [files, umask, score, forward, uptime] = stdout.split('\n');
    expect([files, umask, score, forward]).toEqual(['77', '0027', '123', '1']);
    // The host's own time since its start comes on top.
    expect(Number(uptime)).toBeGreaterThanOrEqual(1_000_000_000);
    expect(Number(uptime)).toBeLessThan(2_000_000_000);
  });

  it('refuses a sysctl that leaves /proc/sys', async () => {
    const value = plan('true');
    value.sysctl = [{ key: 'net/../../sysrq-trigger', value: 'x' }];
    await expect(runToEnd(value)).rejects.toMatchObject({ step: 'sysctl' });
  });

  it('binds files and directories, making what is missing', async () => {
    writeFileSync(join(scratch.directory, 'hosts'), 'from the host\n');
    const value = plan(
      'sh',
      '-c',
      'cat /etc/deep/hosts; touch /data/a/x; grep /data/a /proc/mounts',
    );
    const MS_BIND = 0x1000;
    const bind = { type: 'bind', propagation: 0x40000, data: '' };
    value.mounts = [
      ...value.mounts,
      {
        ...bind,
        source: join(scratch.directory, 'hosts'),
        target: '/etc/deep/hosts',
        flags: MS_BIND,
      },
      {
        ...bind,
        source: join(scratch.directory, 'state'),
        target: '/data/a',
        flags: MS_BIND | 1 | 4,
      },
    ];
    const { stdout, stderr } = await runToEnd(value);
    const type = execFileSync(
      'findmnt',
      ['-n', '-o', 'FSTYPE', '--target', join(scratch.directory, 'state')],
      { encoding: 'utf8' },
    ).trim();
    expect(stdout).toMatch(/^from the host\n/);
    expect(stdout).toMatch(` /data/a ${type} ro,nodev`);
    expect(stderr).toContain('Read-only file system');
  });

  it('leaves no mount behind on the host', async () => {
    await shell('true');
    expect(mountsBelow(scratch.directory)).toEqual([]);
  });

  it('mounts what a storage driver returned', async () => {
    const layers = makeScratch();
    const { stdout } = await (async () => {
      const value = plan('sh', '-c', 'echo new > /etc/new; cat /etc/new; grep " / " /proc/mounts');
      const path = join(scratch.directory, 'merged');
      const { mkdirSync } = await import('node:fs');
      for (const name of ['merged', 'upper', 'work']) mkdirSync(join(scratch.directory, name));
      value.rootfs = {
        path,
        mounts: [
          {
            type: 'overlay',
            source: 'overlay',
            target: '',
            flags: 0,
            data: `lowerdir=${layers.root},upperdir=${scratch.directory}/upper,workdir=${scratch.directory}/work`,
          },
        ],
        readonly: false,
        propagation: 0,
      };
      return runToEnd(value);
    })();
    expect(stdout).toMatch(/^new\noverlay \/ overlay rw/);
    expect(readFileSync(join(scratch.directory, 'upper/etc/new'), 'utf8')).toBe('new\n');
    layers.dispose();
  });
});
