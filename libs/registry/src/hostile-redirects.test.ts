import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  makeCertificate,
  type TestCertificate,
  sha256,
  startStub,
  type StubAnswer,
  type StubRegistry,
} from './testing/index.js';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import type { RegistryClient } from './registry-client.js';
import { MemorySink } from './testing/memory-sink.js';
import { stubClient } from './testing/stub-client.js';

const BLOB = Buffer.from('what is wanted');
const wanted = { digest: sha256(BLOB), size: BLOB.length };
const never = new AbortController().signal;
const secret = { kind: 'password', user: 'me', password: 'secret' } as const;

let directory: string;
let certificate: TestCertificate;
let client: RegistryClient;
const stubs: StubRegistry[] = [];

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'teu-'));
  certificate = makeCertificate(directory, 'stub');
});
afterAll(() => {
  rmSync(directory, { recursive: true });
});
afterEach(async () => {
  client.close();
  await Promise.all(stubs.splice(0).map((stub) => stub.stop()));
});

async function start(...given: Parameters<typeof startStub>): Promise<StubRegistry> {
  const stub = await startStub(...given);
  stubs.push(stub);
  return stub;
}

const give: StubAnswer = (_, response) => response.writeHead(200).end(BLOB);

/** Asks for Basic authorization, then sends elsewhere. */
const sendTo =
  (location: () => string): StubAnswer =>
  ({ authorization }, response) =>
    authorization === undefined
      ? response.writeHead(401, { 'www-authenticate': 'Basic realm="x"' }).end()
      : response.writeHead(307, { location: location() }).end();

async function download(registry: string): Promise<Buffer> {
  const sink = new MemorySink();
  await client.repository(registry, 'a/b').readBlob(wanted, sink, never);
  return sink.bytes;
}

function connect(registry: StubRegistry, settings: object = { insecure: true }): void {
  const credentialsOf = () => secret;
  client = stubClient({ [registry.host]: settings }, { credentialsOf }, [certificate.certificate]);
}

describe('a redirect', () => {
  test('to another port is followed without what was said to the registry', async () => {
    const other = await start(give);
    const registry = await start(sendTo(() => `http://${other.host}/blob?signature=x`));
    connect(registry);
    expect((await download(registry.host)).equals(BLOB)).toBe(true);
    expect(registry.seen.at(-1)?.authorization).toBeDefined();
    expect(other.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  test('within the registry keeps it', async () => {
    const registry = await start((request, response, count) =>
      request.url === '/elsewhere'
        ? give(request, response, count)
        : sendTo(() => '/elsewhere')(request, response, count),
    );
    connect(registry);
    await download(registry.host);
    expect(registry.seen.at(-1)).toMatchObject({ url: '/elsewhere' });
    expect(registry.seen.at(-1)?.authorization).toBeDefined();
  });

  test('to another address of this machine is not followed, unless that is configured', async () => {
    const canary = await start(give, '127.0.0.2');
    const registry = await start(sendTo(() => `http://${canary.host}/blob`));
    connect(registry);
    await expect(download(registry.host)).rejects.toMatchObject({ reason: 'REGISTRY_FAILED' });
    expect(canary.connections()).toBe(0);
    client.close();
    connect(registry, { insecure: true, trustedHosts: [canary.host] });
    await download(registry.host);
    expect(canary.seen.map(({ authorization }) => authorization)).toEqual([undefined]);
  });

  test.each([
    ['the link', 'http://169.254.169.254/latest/meta-data'],
    ['the link, in IPv6 clothes', 'http://[::ffff:169.254.169.254]/'],
    ['nowhere', 'http://0.0.0.0/'],
    ['a file', 'file:///etc/passwd'],
    ['a user', 'http://user:password@127.0.0.1/'],
    ['no address', 'http://'],
  ])('to %s is not followed', async (_, location) => {
    const registry = await start(sendTo(() => location));
    connect(registry);
    await expect(download(registry.host)).rejects.toMatchObject({ reason: 'REGISTRY_FAILED' });
    expect(registry.seen).toHaveLength(2);
  });

  test('in a circle ends', async () => {
    const registry = await start(sendTo(() => '/again'));
    connect(registry);
    await expect(download(registry.host)).rejects.toMatchObject({ reason: 'REGISTRY_FAILED' });
    expect(registry.seen.length).toBeLessThanOrEqual(8);
  });

  test('from TLS to plain HTTP is not followed', async () => {
    const canary = await start(give);
    const registry = await start(
      sendTo(() => `http://${canary.host}/blob`),
      '127.0.0.1',
      certificate,
    );
    connect(registry, {});
    await expect(download(registry.host)).rejects.toMatchObject({ reason: 'REGISTRY_FAILED' });
    expect(canary.connections()).toBe(0);
  });

  test('of what is sent is not followed', async () => {
    const canary = await start((_, response) => response.writeHead(201).end());
    const registry = await start(({ method }, response) =>
      method === 'POST'
        ? response.writeHead(202, { location: '/v2/a/b/blobs/uploads/1' }).end()
        : response.writeHead(307, { location: `http://${canary.host}/` }).end(),
    );
    connect(registry);
    const source = {
      ...wanted,
      read: async function* () {
        yield BLOB;
      },
    };
    const progress = { sent: () => undefined, retrying: () => undefined };
    const sent = client.repository(registry.host, 'a/b').sendBlob(source, [], progress, never);
    await expect(sent).rejects.toMatchObject({ reason: 'REGISTRY_FAILED' });
    expect(canary.connections()).toBe(0);
  });
});

describe('TLS', () => {
  test('with a certificate that nobody trusts is refused, not done without', async () => {
    const registry = await start(give, '127.0.0.1', certificate);
    client = stubClient({});
    await expect(download(registry.host)).rejects.toMatchObject({
      reason: 'REGISTRY_UNAVAILABLE',
      metadata: { failure: 'untrusted' },
    });
    expect(registry.seen).toEqual([]);
  });

  test('is what a registry on this machine is talked to with if it can', async () => {
    const [secure, plain] = [await start(give, '127.0.0.1', certificate), await start(give)];
    client = stubClient({}, {}, [certificate.certificate]);
    for (const { host } of [secure, plain]) expect((await download(host)).equals(BLOB)).toBe(true);
  });
});
