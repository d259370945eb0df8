import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir, type TempDir } from '@teu/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { fakeContext } from '../testing/fake-context.js';
import { credentialsFor, forgetLogin, keepLogin } from './logins.js';

let directory: TempDir;

beforeEach(() => {
  directory = tempDir();
});
afterEach(() => {
  directory.remove();
});

const file = () => join(directory.path, 'config.json');
const write = (config: unknown) => {
  writeFileSync(file(), typeof config === 'string' ? config : JSON.stringify(config));
};
const read = (): unknown => JSON.parse(readFileSync(file(), 'utf8'));
const caller = () =>
  fakeContext({
    env: { DOCKER_CONFIG: directory.path, PATH: `${directory.path}:/usr/bin:/bin` },
    cwd: directory.path,
  }).context;
const basic = (text: string) => Buffer.from(text).toString('base64');

/** A helper that keeps what it gets in files. */
function makeHelper(name: string): void {
  const script = [
    '#!/bin/sh',
    `cd '${directory.path}'`,
    'cat > input',
    'case "$1" in',
    'get) [ -f kept ] && cat kept || { echo "credentials not found in native keychain"; exit 1; } ;;',
    'store) cp input kept ;;',
    'erase) rm -f kept ;;',
    'esac',
  ].join('\n');
  writeFileSync(join(directory.path, `docker-credential-${name}`), script, { mode: 0o755 });
}

describe('docker’s config file', () => {
  test.each([
    ['user and password', { auth: basic('me:a:b') }, { user: 'me', password: 'a:b' }],
    ['an identity token', { auth: basic('me:'), identitytoken: 'i' }, 'i'],
    ['a registry token', { registrytoken: 'r' }, 'r'],
  ])('gives %s, for this registry only', async (_, entry, value) => {
    write({ auths: { 'r.example.com': entry, 'other.example.com': { auth: basic('o:o') } } });
    const found = await credentialsFor(caller(), 'r.example.com/app:1');
    expect(found).toMatchObject([{ registry: 'r.example.com', secret: { value } }]);
    expect(await credentialsFor(caller(), 'third.example.com/app')).toEqual([]);
  });

  test.each(['https://index.docker.io/v1/', 'index.docker.io', 'docker.io'])(
    'has Docker Hub under %s',
    async (server) => {
      write({ auths: { [server]: { auth: basic('me:secret') } } });
      expect(await credentialsFor(caller(), 'debian')).toMatchObject([{ registry: 'docker.io' }]);
    },
  );

  test('need not be there', async () => {
    expect(await credentialsFor(caller(), 'debian')).toEqual([]);
  });

  test('that is broken is told without what is in it', async () => {
    for (const text of ['{"auths": "c2VjcmV0"', '[]', '{"auths": []}']) {
      write(text);
      await expect(credentialsFor(caller(), 'debian')).rejects.toThrow(/^\S+ is not a config file/);
    }
  });

  test('keeps what else is in it, and is for its owner only', async () => {
    write({ detachKeys: 'ctrl-x', auths: { 'https://r.example.com/v1/': { auth: 'old' } } });
    await keepLogin(caller(), 'r.example.com', 'me', 'secret', '');
    const auths = { 'r.example.com': { auth: basic('me:secret') } };
    expect(read()).toEqual({ detachKeys: 'ctrl-x', auths });
    expect(statSync(file()).mode & 0o777).toBe(0o600);
    await keepLogin(caller(), 'r.example.com', 'me', 'secret', 'token');
    expect(read()).toMatchObject({
      auths: { 'r.example.com': { auth: basic('me:'), identitytoken: 'token' } },
    });
    expect(await forgetLogin(caller(), 'r.example.com')).toBe(true);
    expect(read()).toEqual({ detachKeys: 'ctrl-x', auths: {} });
    expect(await forgetLogin(caller(), 'r.example.com')).toBe(false);
  });
});

describe('a helper program', () => {
  test('keeps the secret, and the file has none', async () => {
    makeHelper('test');
    write({ credsStore: 'test' });
    expect(await keepLogin(caller(), 'docker.io', 'me', 'secret', '')).toBe('helper');
    expect(read()).toEqual({ credsStore: 'test' });
    const kept: unknown = JSON.parse(readFileSync(join(directory.path, 'kept'), 'utf8'));
    expect(kept).toEqual({
      ...{ ServerURL: 'https://index.docker.io/v1/', Username: 'me', Secret: 'secret' },
    });
    const value = { user: 'me', password: 'secret' };
    expect(await credentialsFor(caller(), 'debian')).toMatchObject([{ secret: { value } }]);
    expect(await forgetLogin(caller(), 'docker.io')).toBe(true);
    expect(await credentialsFor(caller(), 'debian')).toEqual([]);
  });

  test('for one registry comes before the one for all', async () => {
    makeHelper('one');
    write({ credsStore: 'absent', credHelpers: { 'r.example.com': 'one' } });
    await keepLogin(caller(), 'r.example.com', 'me', '', 'identity');
    const secret = { $case: 'identityToken', value: 'identity' };
    expect(await credentialsFor(caller(), 'r.example.com/a')).toMatchObject([{ secret }]);
    await expect(credentialsFor(caller(), 'other.example.com/a')).rejects.toThrow('can’t be run');
  });

  test('has no path in its name', async () => {
    mkdirSync(join(directory.path, 'x'));
    write({ credsStore: '../x' });
    await expect(credentialsFor(caller(), 'debian')).rejects.toThrow('odd');
  });
});
