import { createHash } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { chmodSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { nativeBinary } from '@teu/config';
import { tempDir, type TempDir } from '@teu/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { output, startEngine, type Engine } from '../e2e/engine.js';
import { file, loadAccepted } from './hostile-image.js';
import { buildRaceProgram } from './race-program.js';

// Programs in a container, as its root, against the host; and a user of the host without rights.
let engine: Engine;
let directory: TempDir;
beforeAll(async () => {
  engine = await startEngine([]);
  directory = tempDir();
  writeFileSync(join(directory.path, 'canary'), '');
  await loadAccepted(engine, 'base', [
    file('bin/race', buildRaceProgram(directory.path), 0o755),
    file('bin/setuid', readFileSync('/usr/bin/busybox'), 0o4755),
  ]);
});
afterAll(async () => {
  await engine.stop();
  directory.remove();
});

const inside = (script: string, ...options: string[]) =>
  output(engine, 'run', '--rm', ...options, 'base', 'sh', '-c', script);

test('a program that enters is seen only when it is the image’s own', async () => {
  const initDigest = () =>
    createHash('sha256')
      .update(readFileSync(nativeBinary('teu-init')))
      .digest('hex');
  const before = initDigest();
  const canary = join(directory.path, 'canary');
  const id = await output(engine, 'run', '-d', 'base', '/bin/race', '4', canary);
  const until = performance.now() + 3500;
  while (performance.now() < until) {
    await Promise.all([1, 2, 3, 4].map(() => engine.teu(['exec', id, 'true'])));
  }
  await output(engine, 'wait', id);
  expect(await output(engine, 'logs', id)).toBe('seen many');
  expect(initDigest()).toBe(before);
  await output(engine, 'rm', id);
});

test('devices other than the usual ones can be neither made nor opened', async () => {
  const usual = ['1 3', '1 5', '1 7', '1 8', '1 9', '5 0', '5 2'];
  const others = ['1 1', '1 2', '1 4', '1 11', '4 0', '10 200', '10 229', '10 232', '10 237'];
  const make = (kind: string, numbers: string[]) =>
    numbers.map(
      (number) =>
        `mknod /tmp/x ${kind} ${number} 2>/dev/null && echo made ${number}; rm -f /tmp/x;`,
    );
  expect(await inside(make('c', others).join(' '))).toBe('');
  expect(await inside(make('b', ['7 0', '8 0', '253 0', '254 0', '259 0']).join(' '))).toBe('');
  expect((await inside(make('c', usual).join(' '))).split('\n')).toHaveLength(usual.length);
});

test('control groups are there to be read', async () => {
  const script = `for d in /sys/fs/cgroup /sys/fs/cgroup/*; do
      for f in release_agent notify_on_release cgroup.procs tasks devices.allow memory.limit_in_bytes; do
        echo 1 2>/dev/null > $d/$f && echo wrote $d/$f
      done
      mkdir $d/sub 2>/dev/null && echo made $d/sub
    done
    mount -t cgroup -o memory none /tmp 2>/dev/null && echo mounted
    mount -t cgroup2 none /tmp 2>/dev/null && echo mounted
    true`;
  expect(await inside(script)).toBe('');
});

test('no mount comes from the host or goes there', async () => {
  const table = await inside('cat /proc/self/mountinfo');
  expect(table).not.toMatch(/ (shared|master|propagate_from):/);
});

test('an exec has what the container has, and no more', async () => {
  const id = await output(engine, 'run', '-d', 'base', 'sleep', '1000');
  const rights = 'cat /proc/self/status; readlink /proc/self/ns/cgroup; cat /proc/self/cgroup';
  const ofExec = await output(engine, 'exec', id, 'sh', '-c', rights);
  const value = (name: string) => new RegExp(`^${name}:\\s+(\\S+)`, 'm').exec(ofExec)?.[1];
  expect(value('CapBnd')).toBe('00000000a80425fb');
  expect(value('CapEff')).toBe('00000000a80425fb');
  expect(value('CapInh')).toBe('0000000000000000');
  expect(value('CapAmb')).toBe('0000000000000000');
  expect(value('Seccomp')).toBe('2');
  for (const number of [0, 1, 2, 3, 4, 5, 8, 16, 64, 100, 101, 102, 103]) {
    const cwd = `/proc/self/fd/${number}`;
    const { code, stdout } = await engine.teu(['exec', '-w', cwd, id, 'true']);
    expect({ cwd, failed: code !== 0, stdout }).toEqual({ cwd, failed: true, stdout: '' });
  }
  await output(engine, 'rm', '-f', id);
});

test('processes have an end by default', async () => {
  const limit = await inside(
    'cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null; true',
  );
  expect(Number(limit)).toBeGreaterThan(0);
});

test('with the host’s network there is no port that answers without a key', async () => {
  const port = /127\.0\.0\.1:(\d+)/.exec(
    readFileSync(join(engine.runDir, 'nats/nats-server.conf'), 'utf8'),
  )?.[1];
  const talk = [
    'CONNECT {"verbose":false}\\r\\nPING\\r\\n',
    'CONNECT {"user":"teu","pass":"teu"}\\r\\nPING\\r\\n',
    'SUB > 1\\r\\nPING\\r\\n',
  ];
  for (const words of talk) {
    const script = `(printf '${words}'; sleep 0.2) | busybox nc -w 2 127.0.0.1 ${port ?? ''}`;
    const answer = await inside(script, '--network', 'host');
    expect(answer).toContain('Authorization Violation');
    expect(answer).not.toContain('PONG');
  }
  const listening = await inside('cat /proc/net/unix', '--network', 'host');
  expect(listening).not.toMatch(/@.*(teu|nats)/);
});

/** What a user of the host without rights gets from a script. */
function asNobody(script: string): string {
  const args = ['--reuid', '65534', '--regid', '65534', '--clear-groups', 'sh', '-c', script];
  return spawnSync('setpriv', args, { encoding: 'utf8', cwd: '/' }).stdout;
}

test('a user of the host reaches neither files nor programs of layers', async () => {
  const id = await output(engine, 'run', '-d', 'base', 'sleep', '1000');
  const [container] = JSON.parse(await output(engine, 'inspect', id)) as { pid: number }[];
  const pid = String(container?.pid);
  const script = `ls ${engine.dataDir} ${engine.runDir} /proc/${pid}/root /proc/${pid}/cwd
    find ${engine.dataDir} ${engine.runDir} -type f
    /proc/${pid}/root/bin/setuid id -u`;
  expect(asNobody(`{ ${script}; } 2>/dev/null | grep -v ': *$'`)).not.toMatch(/setuid|\.sock|^0$/m);
  for (const directoryOf of [engine.dataDir, engine.runDir]) {
    expect(asNobody(`cd ${directoryOf} 2>/dev/null && echo in`)).toBe('');
  }
  await output(engine, 'rm', '-f', id);
});

test('a user of the host who gets to a socket is turned away', async () => {
  const id = await output(engine, 'run', '-d', 'base', 'sleep', '1000');
  const supervisor = `c/${id.slice(0, 32)}`;
  const sockets = readdirSync(engine.runDir).filter((name) => name.endsWith('.sock'));
  // The second lock alone: the directory and the socket itself stand open.
  const opened = [join(engine.runDir, '..'), engine.runDir, join(engine.runDir, 'c')];
  const all = [...sockets, `${supervisor}.sock`].map((name) => join(engine.runDir, name));
  opened.forEach((path) => chmodSync(path, 0o711));
  try {
    for (const path of all) {
      chmodSync(path, 0o666);
      const program = `use Socket; $SIG{PIPE} = "IGNORE"; socket(S, PF_UNIX, SOCK_STREAM, 0);
        connect(S, sockaddr_un($ARGV[0])) or die; print "connected ";
        syswrite(S, "PRI * HTTP/2.0\\r\\n\\r\\nSM\\r\\n\\r\\n\\0\\0\\0\\4\\0\\0\\0\\0\\0"); alarm 5;
        my $n = sysread(S, my $b, 1); print $n ? "heard" : "nothing";`;
      expect(asNobody(`perl -e '${program}' ${path}`), path).toBe('connected nothing');
    }
  } finally {
    all.forEach((path) => chmodSync(path, 0o600));
    opened.forEach((path) => chmodSync(path, 0o700));
  }
  await output(engine, 'rm', '-f', id);
});
