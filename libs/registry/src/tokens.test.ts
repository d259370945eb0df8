import type { ServerResponse } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { parseChallenges } from './challenge.js';
import type { Credential } from './credentials.js';
import type { RegistryClient } from './registry-client.js';
import { stubClient } from './testing/stub-client.js';
import { startStub, type SeenRequest, type StubRegistry } from './testing/index.js';
import { isTrustedRealm } from './trusted-realm.js';

const MANIFEST = Buffer.from('{}');
const never = new AbortController().signal;

let client: RegistryClient;
const stubs: StubRegistry[] = [];

afterEach(async () => {
  client.close();
  await Promise.all(stubs.splice(0).map((stub) => stub.stop()));
});

async function start(...given: Parameters<typeof startStub>): Promise<StubRegistry> {
  const stub = await startStub(...given);
  stubs.push(stub);
  return stub;
}

const tokenOf = (text: object | string) => (_: SeenRequest, response: ServerResponse) =>
  response.writeHead(200).end(typeof text === 'string' ? text : JSON.stringify(text));

/** Wants a token from a realm, and takes those that begin with "good". */
async function registryWith(realm: string): Promise<StubRegistry> {
  return start(({ authorization = '' }, response) => {
    if (authorization.startsWith('Bearer good')) {
      return response.writeHead(200, { 'content-type': 'application/json' }).end(MANIFEST);
    }
    const challenge = `Bearer realm="${realm}",service="s",scope="repository:evil/other:push"`;
    return response.writeHead(401, { 'www-authenticate': challenge }).end();
  });
}

function connect(registry: StubRegistry, credential?: Credential, more: object = {}): void {
  client = stubClient(
    { [registry.host]: { insecure: true, ...more } },
    { credentialsOf: (name) => (name === registry.host ? credential : undefined) },
  );
}

const read = (registry: StubRegistry, repository = 'a/b') =>
  client.repository(registry.host, repository).getManifest('1', never);

describe('a token', () => {
  test('is asked for with user and password, for our scope, and used until it ends', async () => {
    const service = await start(tokenOf({ token: 'good', expires_in: 300 }));
    const registry = await registryWith(`http://${service.host}/token`);
    connect(registry, { kind: 'password', user: 'me', password: 'secret' });
    await Promise.all([read(registry), read(registry)]);
    await read(registry);
    expect(service.seen).toHaveLength(1);
    const [asked] = service.seen;
    expect(asked?.authorization).toBe(`Basic ${Buffer.from('me:secret').toString('base64')}`);
    const query = new URL(asked?.url ?? '', 'http://x').searchParams;
    expect(query.getAll('scope')).toEqual(['repository:a/b:pull']);
    expect(query.get('service')).toBe('s');
    await read(registry, 'c/d');
    expect(service.seen).toHaveLength(2);
  });

  test('is asked for by POST with an identity token', async () => {
    const service = await start(tokenOf({ access_token: 'good' }));
    const registry = await registryWith(`http://${service.host}/token`);
    connect(registry, { kind: 'identity token', token: 'i&d' });
    await read(registry);
    const [asked] = service.seen;
    expect(asked).toMatchObject({ method: 'POST', url: '/token', authorization: undefined });
    const form = new URLSearchParams(asked?.body.toString());
    expect(Object.fromEntries(form)).toMatchObject({
      ...{ grant_type: 'refresh_token', refresh_token: 'i&d', service: 's' },
      scope: 'repository:a/b:pull',
    });
  });

  test('that the registry does not take is asked for once more, and no more', async () => {
    const service = await start(tokenOf({ token: 'bad' }));
    const registry = await registryWith(`http://${service.host}/token`);
    connect(registry);
    await expect(read(registry)).rejects.toMatchObject({ reason: 'REGISTRY_DENIED' });
    expect(registry.seen.length).toBeLessThanOrEqual(3);
  });

  test('is not asked for at another host, and nothing is said there', async () => {
    const service = await start(tokenOf({ token: 'good' }), '127.0.0.2');
    const registry = await registryWith(`http://${service.host}/token`);
    const password = { kind: 'password', user: 'me', password: 'secret' } as const;
    connect(registry, password);
    await expect(read(registry)).rejects.toMatchObject({
      reason: 'REGISTRY_FAILED',
      metadata: { realm: service.host },
    });
    expect(service.connections()).toBe(0);
    client.close();
    connect(registry, password, { trustedHosts: [service.host] });
    await read(registry);
  });

  test.each([
    ['too large', `{"token":"${'x'.repeat(1_100_000)}"}`, 'REGISTRY_FAILED'],
    ['no JSON', 'good', 'REGISTRY_FAILED'],
    ['without a token', '{}', 'REGISTRY_FAILED'],
    ['with a line end', '{"token":"good\\r\\nx: y"}', 'REGISTRY_FAILED'],
  ])('that is %s is not used', async (_, text, reason) => {
    const service = await start(tokenOf(text));
    const registry = await registryWith(`http://${service.host}/token`);
    connect(registry);
    await expect(read(registry)).rejects.toMatchObject({ reason });
    expect(registry.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  test('is not fetched from where the service redirects to', async () => {
    const canary = await start(tokenOf({ token: 'good' }));
    const service = await start((_, response) =>
      response.writeHead(307, { location: `http://${canary.host}/` }).end(),
    );
    const registry = await registryWith(`http://${service.host}/token`);
    connect(registry, { kind: 'password', user: 'me', password: 'secret' });
    await expect(read(registry)).rejects.toMatchObject({ reason: 'REGISTRY_FAILED' });
    expect(canary.connections()).toBe(0);
  });
});

describe('a login', () => {
  test('gives an identity token where there is one', async () => {
    const service = await start(tokenOf({ token: 'good', refresh_token: 'kept' }));
    const registry = await registryWith(`http://${service.host}/token`);
    connect(registry, { kind: 'password', user: 'me', password: 'secret' });
    expect(await client.checkCredentials(registry.host, never)).toBe('kept');
  });

  test('that is wrong is denied', async () => {
    const service = await start((_, response) => response.writeHead(401).end());
    const registry = await registryWith(`http://${service.host}/token`);
    connect(registry, { kind: 'password', user: 'me', password: 'wrong' });
    await expect(client.checkCredentials(registry.host, never)).rejects.toMatchObject({
      reason: 'REGISTRY_DENIED',
    });
  });
});

test.each([
  ['https://auth.docker.io/token', 'https://registry-1.docker.io', true],
  ['https://gitlab.com/jwt/auth', 'https://registry.gitlab.com', true],
  ['https://r.example.com:5001/token', 'https://r.example.com:5000', true],
  ['https://evil.com/token', 'https://registry.example.com', false],
  ['https://evil.co.uk/token', 'https://registry.co.uk', false],
  ['https://evil.com/token', 'https://registry.com', false],
  ['https://example.com.evil.com/', 'https://registry.example.com', false],
  ['http://auth.docker.io/token', 'https://registry-1.docker.io', false],
  ['http://127.0.0.2/', 'http://127.0.0.1:5000', false],
  ['https://user@r.example.com/', 'https://r.example.com', false],
])('the realm %s of %s is trusted: %s', (realm, registry, isTrusted) => {
  expect(isTrustedRealm(new URL(realm), new URL(registry), [])).toBe(isTrusted);
});

test('challenges are read as they are written', () => {
  expect(
    parseChallenges('Basic realm="a \\"b\\"", Bearer realm="https://x/t?a=b,c",service=s'),
  ).toEqual([
    { scheme: 'basic', realm: 'a "b"' },
    { scheme: 'bearer', realm: 'https://x/t?a=b,c', service: 's' },
  ]);
  expect(parseChallenges('Negotiate')).toEqual([]);
  expect(parseChallenges('')).toEqual([]);
});
