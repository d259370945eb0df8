import { readFileSync, readlinkSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { output, startEngine, type Engine } from './engine.js';

let engine: Engine;
beforeAll(async () => {
  engine = await startEngine(['debian']);
});
afterAll(async () => {
  await engine.stop();
});

const inside = (script: string, ...options: string[]) =>
  output(engine, 'run', '--rm', ...options, 'debian:bookworm', 'sh', '-c', script);

describe('a container of a whole Debian', () => {
  test('has every namespace of its own', async () => {
    const kinds = ['pid', 'mnt', 'uts', 'ipc', 'net', 'cgroup', 'time'];
    const links = (
      await inside(`for n in ${kinds.join(' ')}; do readlink /proc/self/ns/$n; done`)
    ).split('\n');
    kinds.forEach((kind, index) => {
      expect(links[index], kind).toMatch(/\[\d+\]$/);
      expect(links[index], kind).not.toBe(readlinkSync(`/proc/self/ns/${kind}`));
    });
  });

  test('is process 1 with its own host name and root', async () => {
    expect(
      await inside('echo $$; hostname; . /etc/os-release; echo $ID', '--hostname', 'box'),
    ).toBe('1\nbox\ndebian');
  });

  test('has loopback and nothing else', async () => {
    expect(await inside('cat /sys/class/net/*/operstate; ls /sys/class/net')).toBe('unknown\nlo');
  });

  test('shares the network of the host when asked to', async () => {
    const host = readlinkSync('/proc/self/ns/net');
    expect(await inside('readlink /proc/self/ns/net', '--network', 'host')).toBe(host);
  });

  test('has the capabilities and the filter that Docker gives', async () => {
    const status = await inside('cat /proc/self/status');
    const value = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(status)?.[1];
    expect(value('CapEff')).toBe('00000000a80425fb');
    expect(value('CapPrm')).toBe('00000000a80425fb');
    expect(value('CapBnd')).toBe('00000000a80425fb');
    expect(value('CapInh')).toBe('0000000000000000');
    expect(value('CapAmb')).toBe('0000000000000000');
    expect(value('Seccomp')).toBe('2');
  });

  test('cannot mount, see the kernel’s secrets, or write where it must not', async () => {
    const answers = await inside(
      [
        'mount -t tmpfs none /mnt 2>/dev/null && echo mounted',
        'unshare -U true 2>/dev/null && echo user-namespace',
        'echo 1 2>/dev/null > /proc/sys/kernel/panic && echo sysctl',
        'test -s /proc/kcore && echo kcore',
        'ls /sys/firmware | grep -q . && echo firmware',
        'touch /sys/fs/cgroup/x 2>/dev/null && echo cgroup',
        'ls /proc/self/fd | wc -l',
      ].join('; '),
    );
    // Three standard ones and the directory that ls itself reads.
    expect(answers).toBe('4');
  });

  test('cannot write to a read-only root, and still has its own /dev/shm', async () => {
    expect(
      await inside(
        'touch /x 2>/dev/null || echo read-only; touch /dev/shm/x && echo shm',
        '--read-only',
      ),
    ).toBe('read-only\nshm');
  });

  test('leaves the image as it was', async () => {
    await inside('rm -rf /usr/bin/perl /etc/passwd; echo changed > /etc/hostname');
    expect(await inside('test -e /etc/passwd && echo there')).toBe('there');
  });

  test('runs as the user that was asked for', async () => {
    expect(await inside('id -u; id -g', '-u', 'nobody')).toBe('65534\n65534');
    expect(await inside('id -u; id -g', '-u', '1234:5678')).toBe('1234\n5678');
    const unknown = await engine.teu([
      'run',
      '--rm',
      '-u',
      'nosuchuser',
      'debian:bookworm',
      'true',
    ]);
    expect(unknown.code).toBe(125);
    expect(unknown.stderr).toContain('nosuchuser');
  });

  test.each([
    ['root', [], '/root'],
    ['a user that the image knows', ['-u', 'nobody'], '/nonexistent'],
    ['a number that it does not know', ['-u', '4321'], '/'],
    ['anyone who is told', ['-u', 'nobody', '-e', 'HOME=/srv'], '/srv'],
  ])('%s has a home', async (_, options, home) => {
    expect(await inside('echo $HOME', ...options)).toBe(home);
  });

  test('is limited on the host, not only in its own eyes', async () => {
    const id = await output(
      engine,
      'run',
      '-d',
      '--memory',
      '32m',
      'debian:bookworm',
      'sleep',
      '100',
    );
    const [container] = JSON.parse(await output(engine, 'inspect', id)) as { pid: number }[];
    const cgroups = readFileSync(`/proc/${String(container?.pid)}/cgroup`, 'utf8');
    expect(cgroups).toMatch(new RegExp(`:(memory)?:/teu/[0-9a-f]{12}/${id}`));
    await output(engine, 'rm', '-f', id);
  });
});
