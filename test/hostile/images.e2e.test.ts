import { randomBytes } from 'node:crypto';
import { rmSync } from 'node:fs';
import { tempDir, type TempDir } from '@teu/testing';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { startEngine, type Engine } from '../e2e/engine.js';
import { makeCanary, type Canary } from './canary.js';
import { file, link, load, type Entry } from './hostile-image.js';

// Images are hostile: whatever lies where the engine mounts, writes or looks leads nowhere but into
// the container, or the container is not started.
let engine: Engine;
let directory: TempDir;
let canary: Canary;
let before: unknown;
beforeAll(async () => {
  engine = await startEngine([]);
  directory = tempDir();
  canary = makeCanary(directory.path);
  before = canary.look();
});
afterEach(() => {
  expect(canary.look()).toEqual(before);
});
afterAll(async () => {
  await engine.stop();
  rmSync(directory.path, { recursive: true });
});

const corePattern = '/proc/sys/kernel/core_pattern';
const writeThrough =
  'for f in /etc/hosts /etc/hostname /etc/resolv.conf /dev/null; do echo hack 2>/dev/null > $f; done; test -c /dev/null && echo up';

/** What may become of an image, with the entry that makes it hostile. */
const cases: [what: string, outcome: 'runs' | RegExp, entry: () => Entry][] = [
  ['/proc is a link inside', /ordinary directory/, () => link('proc', '/tmp')],
  ['/proc is a link outside', /"\/proc": E/, () => link('proc', canary.path)],
  ['/proc is a file', /"\/proc": ENOTDIR/, () => file('proc', '')],
  ['/proc is a pipe', /"\/proc": ENOTDIR/, () => ({ name: 'proc', type: 'fifo' })],
  ['/sys is a link inside', /ordinary directory/, () => link('sys', '/tmp')],
  ['/sys is a link outside', /"\/sys": E/, () => link('sys', canary.path)],
  ['/dev is a link inside', 'runs', () => link('dev', '/tmp')],
  ['/dev is a link outside', /"\/dev": E/, () => link('dev', canary.path)],
  ['/dev is a magic link', /"\/dev": E/, () => link('dev', '/proc/1/root')],
  ['/etc is a link outside', /mounts/, () => link('etc', canary.path)],
  ['/etc is a link with dots', /mounts/, () => link('etc', '../../../../../proc/self/fd')],
  ['/etc/hosts leads to a sysctl', 'runs', () => link('etc/hosts', corePattern)],
  ['/etc/hosts leads outside', 'runs', () => link('etc/hosts', `${canary.path}/new`)],
  ['/etc/hosts leads to itself', /ELOOP/, () => link('etc/hosts', 'hosts')],
  ['/etc/hostname leads to a sysctl', 'runs', () => link('etc/hostname', corePattern)],
  ['/etc/hostname leads outside', 'runs', () => link('etc/hostname', `${canary.path}/file`)],
  ['/etc/resolv.conf leads up', 'runs', () => link('etc/resolv.conf', '../../../../../run/stub')],
  ['/etc/resolv.conf is magic', /mounts/, () => link('etc/resolv.conf', '/proc/self/fd/0')],
  ['/dev/null leads to a sysctl', 'runs', () => link('dev/null', corePattern)],
  ['/dev/shm leads outside', 'runs', () => link('dev/shm', canary.path)],
  ['/dev/pts leads outside', 'runs', () => link('dev/pts', canary.path)],
  ['/dev/ptmx leads outside', 'runs', () => link('dev/ptmx', `${canary.path}/file`)],
  ['/dev/console leads outside', 'runs', () => link('dev/console', `${canary.path}/file`)],
  ['/sys/fs leads outside', 'runs', () => link('sys/fs', canary.path)],
  ['/proc/self leads outside', 'runs', () => link('proc/self', canary.path)],
  ['/etc/passwd is a pipe', 'runs', () => ({ name: 'etc/passwd', type: 'fifo' })],
  ['/etc/passwd never ends', 'runs', () => link('etc/passwd', '/dev/zero')],
  ['a layer hides files of others', /hides files/, () => device('wh', 0, 0)],
];

function device(name: string, devmajor: number, devminor: number): Entry {
  return { name, type: 'character-device', devmajor, devminor, mode: 0o666 };
}

async function loaded(...entries: Entry[]): Promise<{ name: string; refused: string }> {
  const name = `hostile-${randomBytes(4).toString('hex')}`;
  const { code, stderr } = await load(engine, name, entries);
  return { name, refused: code === 0 ? '' : stderr };
}

describe('an image in which', () => {
  test.each(cases)('%s', async (_, outcome, entry) => {
    const { name, refused } = await loaded(entry());
    const { code, stdout, stderr } =
      refused === ''
        ? await engine.teu(['run', '--rm', name, 'sh', '-c', writeThrough])
        : { code: 125, stdout: '', stderr: refused };
    if (outcome === 'runs')
      expect({ code, stdout, stderr }).toMatchObject({ code: 0, stdout: 'up\n' });
    else {
      expect(code).toBe(125);
      expect(stderr).toMatch(outcome);
    }
  });

  test('devices are packed: they cannot be opened', async () => {
    const { name } = await loaded(device('mem', 1, 1), device('tun', 10, 200));
    const script = 'cat /mem; cat /tun; mknod /kmsg c 1 11';
    const { stderr, code } = await engine.teu(['run', '--rm', name, 'sh', '-c', script]);
    expect(code).not.toBe(0);
    expect(stderr.match(/Operation not permitted/g)).toHaveLength(3);
  });

  test('users have impossible numbers: nobody becomes root by them', async () => {
    const wrong = '4294967296:x:0:0::/:\n-1:x:0:0::/:\nwrap:x:4294967296:0::/:\nempty:x::0::/:\n';
    const { name } = await loaded(file('etc/passwd', wrong));
    for (const user of [
      '4294967296',
      '-1',
      'wrap',
      'empty',
      '0x0',
      '+0',
      ' 0',
      ':0',
      '2147483648',
    ]) {
      const { code, stdout } = await engine.teu(['run', '--rm', '-u', user, name, 'id', '-u']);
      expect({ user, code, stdout }).toEqual({ user, code: 125, stdout: '' });
    }
  });

  test('the users are a pipe or without end: a name is not found, and soon', async () => {
    for (const entry of [
      { name: 'etc/passwd', type: 'fifo' } as const,
      link('etc/passwd', '/dev/zero'),
    ]) {
      const { name } = await loaded(entry);
      const { code } = await engine.teu(['run', '--rm', '-u', 'bob', name, 'true'], {
        timeoutMs: 5000,
      });
      expect(code).toBe(125);
    }
  });

  test('what is run is the program that starts it', async () => {
    const { name } = await loaded(
      link('bin/exe', '/proc/self/exe'),
      file('bin/script', '#!/proc/self/exe\n', 0o755),
    );
    for (const program of ['/bin/exe', '/bin/script', '/proc/self/exe']) {
      const { code, stdout } = await engine.teu(['run', '--rm', name, program]);
      expect({ program, ended: code !== 0, stdout }).toEqual({ program, ended: true, stdout: '' });
    }
  });

  test('names carry commands for terminals: they are shown, not obeyed', async () => {
    const { name } = await loaded();
    const { refused } = await loaded(device('\u001b]0;title\u0007', 0, 0));
    expect(refused).toContain('u001b');
    expect(refused).not.toContain('\u001b');
    const { stdout: id } = await engine.teu(['create', name, 'sh', '\u001b[2J']);
    const { stdout } = await engine.teu(['ps', '-a', '--no-trunc']);
    expect(stdout).toContain(id.trim());
    expect(stdout).not.toContain('\u001b');
    await engine.teu(['rm', id.trim()]);
  });
});
