import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  busyboxImageTar,
  requires,
  runProgram,
  startRegistry,
  startTeu,
  tempDir,
  type TempDir,
  type TestRegistry,
  type TestTeu,
} from '@teu/testing';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

const USER = 'somebody';
const PASSWORD = 'pass:word with spaces';

let teu: TestTeu;
let directory: TempDir;
let open: TestRegistry;
let closed: TestRegistry;
let env: Record<string, string>;

beforeAll(async () => {
  requires('root', 'overlayfs', 'docker-registry', 'htpasswd');
  directory = tempDir();
  const made = await runProgram('htpasswd', ['-nbB', '-C', '4', USER, PASSWORD]);
  const htpasswd = join(directory.path, 'htpasswd');
  writeFileSync(htpasswd, made.stdout);
  [open, closed] = await Promise.all([startRegistry(), startRegistry({ htpasswd })]);
  env = { DOCKER_CONFIG: join(directory.path, 'docker') };
  teu = await startTeu({ env });
  const loaded = await run(['load', '-i', await busyboxImageTar(), '--name', 'busybox']);
  expect(loaded.stderr).toBe('');
});

afterAll(async () => {
  await teu.stop();
  await Promise.all([open.stop(), closed.stop()]);
  directory.remove();
});

const run = (words: string[], stdin?: string) =>
  teu.teu(words, { timeoutMs: 60_000, ...(stdin === undefined ? {} : { stdin }) });

describe('an open registry', () => {
  test('gets an image and gives it back', async () => {
    const name = `${open.host}/tools/busybox:1`;
    await run(['tag', 'busybox', name]);
    const pushed = await run(['push', name]);
    expect(pushed).toMatchObject({ code: 0, stderr: '' });
    expect(pushed.stdout).toMatch(/^1: digest: sha256:[0-9a-f]{64} size: \d+$/m);
    expect((await run(['image', 'tags', `${open.host}/tools/busybox`])).stdout).toBe('1\n');
    for (const each of [name, 'busybox']) expect((await run(['rmi', each])).code).toBe(0);
    const pulled = await run(['pull', name]);
    expect(pulled).toMatchObject({ code: 0, stderr: '' });
    expect(pulled.stdout).toMatch(/: Pull complete$/m);
    expect(pulled.stdout).toContain(`Status: Downloaded newer image for ${name}\n${name}\n`);
    expect((await run(['pull', '-q', name])).stdout).toBe(`${name}\n`);
    const lines = (await run(['pull', '--format', 'json', name])).stdout.trim().split('\n');
    expect(JSON.parse(lines.at(-1) ?? '')).toMatchObject({ result: { isUpToDate: true } });
  });

  test('is asked by run for an image that is missing', async () => {
    const name = `${open.host}/tools/busybox:1`;
    expect((await run(['rmi', name])).code).toBe(0);
    const never = await run(['run', '--rm', '--pull', 'never', name, 'true']);
    expect(never).toMatchObject({ code: 125 });
    expect(never.stderr).toContain('there is no image');
    const ran = await run(['run', '--rm', '-i', name, 'cat'], 'hello');
    expect(ran).toMatchObject({ code: 0, stdout: 'hello' });
    expect(ran.stderr).toContain(`Unable to find image '${name}' locally`);
    const again = await run(['run', '--rm', name, 'echo', 'again']);
    expect(again).toMatchObject({ code: 0, stdout: 'again\n', stderr: '' });
  });

  test('tells what refers to an image, where all it has for that is a tag', async () => {
    const name = `${open.host}/tools/busybox:1`;
    const url = `http://${open.host}/v2/tools/busybox/manifests`;
    const accept = { accept: 'application/vnd.oci.image.manifest.v1+json' };
    const image = await fetch(`${url}/1`, { headers: accept });
    const subject = image.headers.get('docker-content-digest') ?? '';
    const manifests = [
      {
        mediaType: 'application/vnd.oci.image.manifest.v1+json',
        digest: subject,
        size: (await image.arrayBuffer()).byteLength,
        artifactType: 'application/vnd.example.signature',
      },
    ];
    const mediaType = 'application/vnd.oci.image.index.v1+json';
    const put = await fetch(`${url}/${subject.replace(':', '-')}`, {
      method: 'PUT',
      headers: { 'content-type': mediaType },
      body: JSON.stringify({ schemaVersion: 2, mediaType, manifests }),
    });
    expect(put.status).toBe(201);
    const listed = await run(['image', 'referrers', name]);
    expect(listed).toMatchObject({ code: 0, stderr: '' });
    expect(listed.stdout).toMatch(/^sha256:[0-9a-f]{64} +application\/vnd.example.signature/m);
    const others = await run(['image', 'referrers', '--artifact-type', 'other', name]);
    expect(others.stdout.trim().split('\n')).toHaveLength(1);
  });

  test('is told of in the numbered log', async () => {
    const { stdout } = await run(['events', '--since', '1', '--until-now', '--format', 'json']);
    for (const action of ['PUSHED', 'PULLED']) expect(stdout).toContain(`IMAGE_ACTION_${action}`);
  });

  test('does not have what it does not have', async () => {
    const { code, stderr } = await run(['run', '--rm', `${open.host}/not/there`, 'true']);
    expect(code).toBe(125);
    expect(stderr).toContain(`teu image tags ${open.host}/not/there`);
  });
});

describe('a registry with passwords', () => {
  const config = () => join(env['DOCKER_CONFIG'] ?? '', 'config.json');

  test('is logged in to, pushed to and logged out of', async () => {
    mkdirSync(env['DOCKER_CONFIG'] ?? '');
    writeFileSync(config(), JSON.stringify({ HttpHeaders: { kept: 'yes' } }));
    const name = `${closed.host}/private/busybox:1`;
    await run(['tag', `${open.host}/tools/busybox:1`, name]);
    const denied = await run(['push', name]);
    expect(denied).toMatchObject({ code: 1 });
    expect(denied.stderr).toContain(`log in with: teu login ${closed.host}`);

    const login = ['login', '-u', USER, '--password-stdin', closed.host];
    expect((await run(login, 'wrong')).code).toBe(1);
    const right = await run(login, `${PASSWORD}\n`);
    expect(right).toMatchObject({ code: 0, stdout: 'Login Succeeded\n' });
    expect(right.stderr).not.toContain(PASSWORD);
    expect(statSync(config()).mode & 0o777).toBe(0o600);
    const auth = Buffer.from(`${USER}:${PASSWORD}`).toString('base64');
    expect(JSON.parse(readFileSync(config(), 'utf8'))).toEqual({
      HttpHeaders: { kept: 'yes' },
      auths: { [closed.host]: { auth } },
    });
    expect(await run(['push', name])).toMatchObject({ code: 0, stderr: '' });

    expect((await run(['logout', closed.host])).stdout).toContain('Removing login');
    expect((await run(['pull', name])).stderr).toContain('access was denied');
    expect(teu.logs()).not.toContain(PASSWORD);
    expect(teu.logs()).not.toContain(auth);
  });

  test('takes a login from a helper program', async () => {
    const bin = join(directory.path, 'bin');
    mkdirSync(bin);
    const secret = JSON.stringify({ Username: USER, Secret: PASSWORD });
    const script = `#!/bin/sh\n[ "$1" = get ] || exit 1\nread server\n[ "$server" = '${closed.host}' ] || { echo 'credentials not found in native keychain'; exit 1; }\necho '${secret}'\n`;
    writeFileSync(join(bin, 'docker-credential-test'), script, { mode: 0o755 });
    writeFileSync(config(), JSON.stringify({ credHelpers: { [closed.host]: 'test' } }));
    const words = ['pull', '-q', `${closed.host}/private/busybox:1`];
    const path = `${bin}:${process.env['PATH'] ?? ''}`;
    const { code, stderr } = await runProgram(teu.bin, words, {
      env: { ...teu.env, PATH: path },
      timeoutMs: 60_000,
    });
    expect([code, stderr]).toEqual([0, '']);
  });
});
