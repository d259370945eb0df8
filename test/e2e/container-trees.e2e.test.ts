import { existsSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { requires, runProgram } from '@teu/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { output, startEngine, type Engine } from './engine.js';

// What a container has written: seen, taken out, and made an image of, while it runs and when it has ended.
const WRITES =
  'echo hello > /etc/greeting; rm /etc/group; mkdir -p /srv/a; echo x > /srv/a/b; chmod 600 /etc/passwd';
let engine: Engine;
beforeAll(async () => {
  requires('root');
  engine = await startEngine();
  await output(
    engine,
    'run',
    '-d',
    '--name',
    'box',
    'busybox',
    'sh',
    '-c',
    `${WRITES}; touch /done; sleep 1000`,
  );
  await output(engine, 'exec', 'box', 'sh', '-c', 'until test -e /done; do sleep 0.05; done');
});
afterAll(async () => {
  await engine.stop();
});

const file = (name: string): string => join(engine.dataDir, name);

test('diff tells it in docker’s letters', async () => {
  const lines = (await output(engine, 'diff', 'box')).split('\n');
  expect(lines).toEqual([
    ...['A /done', 'C /etc', 'A /etc/greeting', 'D /etc/group', 'C /etc/passwd'],
    ...['A /srv', 'A /srv/a', 'A /srv/a/b'],
  ]);
  const json = (await output(engine, 'container', 'diff', '--format', 'json', 'box')).split('\n');
  expect(JSON.parse(json[0] ?? '')).toMatchObject({ path: '/done' });
});

test('export gives the tree, the same to a file and to a pipe', async () => {
  const path = file('tree.tar');
  const told = await output(engine, 'export', '-q', '-o', path, '--format', 'json', 'box');
  expect(JSON.parse(told)).toMatchObject({ digest: expect.stringMatching(/^sha256:/) as string });
  const piped = await runProgram('sh', ['-c', `'${engine.bin}' export box | cmp - '${path}'`], {
    env: engine.env,
  });
  expect(piped).toMatchObject({ code: 0 });
  const listed = await runProgram('tar', ['--numeric-owner', '-tvf', path]);
  expect(listed.stdout).toMatch(/-rw------- 0\/0 .* etc\/passwd/);
  expect(listed.stdout).toContain('srv/a/b');
  // The busybox that is a file in it, not what is mounted over its directories.
  expect(listed.stdout).not.toMatch(/ proc\/./);
});

test('a commit can be run at once, and the container goes on', async () => {
  const pid = (await output(engine, 'inspect', 'box')).match(/"pid": (\d+)/)?.[1];
  const id = await output(
    engine,
    'commit',
    '-a',
    'me',
    '-m',
    'why',
    '-c',
    'ENV WHO=me',
    'box',
    'made:1',
  );
  expect(id).toMatch(/^sha256:/);
  expect(
    await output(engine, 'run', '--rm', 'made:1', 'sh', '-c', 'cat /etc/greeting; echo $WHO'),
  ).toBe('hello\nme');
  expect((await engine.teu(['run', '--rm', 'made:1', 'test', '-e', '/etc/group'])).code).toBe(1);
  expect(await output(engine, 'exec', 'box', 'echo', 'goes on')).toBe('goes on');
  expect(readFileSync(`/proc/${pid ?? ''}/stat`, 'utf8')).toMatch(/\) [SR] /);
  expect(await output(engine, 'history', 'made:1')).toContain('why');
});

test('a stopped container is committed too, and can be saved for others', async () => {
  await output(engine, 'run', '--name', 'once', 'busybox', 'sh', '-c', WRITES);
  const id = await output(engine, 'commit', '--pause=false', '--compression', 'zstd', 'once');
  expect(await output(engine, 'run', '--rm', id, 'cat', '/srv/a/b')).toBe('x');
  await output(engine, 'save', '-q', '--type', 'oci', '-o', file('made.tar'), 'made:1');
  const layout = file('layout');
  mkdirSync(layout);
  const copied = await runProgram('skopeo', [
    '--insecure-policy',
    'copy',
    `oci-archive:${file('made.tar')}`,
    `oci:${layout}:x`,
  ]);
  expect(copied).toMatchObject({ code: 0 });
  const unpacked = await runProgram('umoci', ['unpack', '--image', `${layout}:x`, file('bundle')]);
  expect(unpacked).toMatchObject({ code: 0 });
  expect(readFileSync(file('bundle/rootfs/etc/greeting'), 'utf8')).toBe('hello\n');
  expect(existsSync(file('bundle/rootfs/etc/group'))).toBe(false);
});

test('import makes an image of an export', async () => {
  const path = file('tree.tar');
  const id = await output(
    engine,
    'import',
    '-q',
    '-c',
    'CMD ["cat", "/etc/greeting"]',
    path,
    'flat:1',
  );
  expect(id).toMatch(/^sha256:/);
  expect(await output(engine, 'run', '--rm', 'flat:1')).toBe('hello');
});

test('what cannot be is refused', async () => {
  expect((await engine.teu(['commit', '-c', 'RUN x', 'box'])).stderr).toContain('RUN');
  expect((await engine.teu(['export', 'nobody'])).stderr).toContain('nobody');
  expect((await engine.teu(['diff', 'nobody'])).code).not.toBe(0);
  expect((await engine.teu(['export', '--format', 'json', 'box'])).stderr).toContain('-o FILE');
});
