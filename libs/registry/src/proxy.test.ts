import { createServer, type Server, type ServerResponse } from 'node:http';
import { connect, type AddressInfo } from 'node:net';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, test } from 'vitest';
import { proxyFromEnvironment } from './proxy.js';
import { makeCertificate, sha256, startStub, type TestCertificate } from './testing/index.js';
import { MemorySink } from './testing/memory-sink.js';
import { stubClient } from './testing/stub-client.js';

const BOTH = { HTTP_PROXY: 'http://plain:1', https_proxy: 'secure:2' };
const proxyOf = (url: string, exceptions = '') =>
  proxyFromEnvironment({ ...BOTH, NO_PROXY: exceptions })(new URL(url));

describe('which proxy leads to a place', () => {
  it('is that of the scheme, in capitals or not, with or without a scheme of its own', () => {
    expect(proxyOf('http://r.example/')).toBe('http://plain:1');
    expect(proxyOf('https://r.example/')).toBe('http://secure:2');
    expect(proxyFromEnvironment({})(new URL('https://r.example/'))).toBeUndefined();
  });

  it.each(['http://localhost/', 'http://127.0.0.9:5000/', 'https://[::1]/'])(
    'is none for this machine itself, %s',
    (url) => expect(proxyOf(url)).toBeUndefined(),
  );

  it.each([
    ['*', 'https://r.example/'],
    ['other, example', 'https://r.example/'],
    ['.example', 'https://r.example/'],
    ['*.example', 'https://r.example/'],
    ['R.EXAMPLE', 'https://r.example/'],
    ['r.example:443', 'https://r.example/'],
    ['10.0.0.0/8', 'https://10.1.2.3:5000/'],
    ['10.1.2.3', 'https://10.1.2.3:5000/'],
    ['fd00::/8', 'https://[fd00::5]/'],
  ])('is none for what NO_PROXY=%s names, %s', (exceptions, url) => {
    expect(proxyOf(url, exceptions)).toBeUndefined();
  });

  it.each([
    ['xample', 'https://r.example/'],
    ['r.example:5000', 'https://r.example/'],
    ['10.0.0.0/16', 'https://10.1.2.3/'],
    ['10.0.0.0/99', 'https://10.1.2.3/'],
    ['10.0.0.0/8', 'https://r.example/'],
  ])('is there for what NO_PROXY=%s does not name, %s', (exceptions, url) => {
    expect(proxyOf(url, exceptions)).toBe('http://secure:2');
  });
});

describe('a registry behind a proxy', () => {
  const bytes = Buffer.from('a blob');
  const blob = { digest: sha256(bytes), size: bytes.length };
  const never = new AbortController().signal;
  let directory: string;
  let certificate: TestCertificate;
  let proxy: Server;
  let tunnels: string[];
  const closings: (() => Promise<void> | void)[] = [];

  beforeAll(async () => {
    directory = mkdtempSync(join(tmpdir(), 'teu-'));
    certificate = makeCertificate(directory, 'stub');
    tunnels = [];
    proxy = createServer();
    proxy.on('connect', (request, socket) => {
      tunnels.push(request.url ?? '');
      const [host = '', port] = (request.url ?? '').split(':');
      const target = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 Connection established\r\n\r\n');
        target.pipe(socket).pipe(target);
      });
      for (const end of [target, socket]) end.on('error', () => undefined);
    });
    await new Promise<void>((resolve) => proxy.listen(0, '127.0.0.1', resolve));
  });
  afterEach(async () => {
    for (const close of closings.splice(0).reverse()) await close();
  });
  afterAll(() => {
    proxy.close();
    rmSync(directory, { recursive: true });
  });

  const proxyUrl = () => `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`;

  async function download(location?: string) {
    const answer = (_: unknown, response: ServerResponse) =>
      location === undefined
        ? response.writeHead(200).end(bytes)
        : response.writeHead(307, { location }).end();
    const stub = await startStub(answer, '127.0.0.1', certificate);
    closings.push(() => stub.stop());
    const client = stubClient({}, { proxyOf: proxyUrl }, [certificate.certificate]);
    closings.push(() => client.close());
    const sink = new MemorySink();
    await client.repository(stub.host, 'a/b').readBlob(blob, sink, never);
    expect(tunnels).toContain(stub.host);
    return sink.bytes;
  }

  test('is reached by a tunnel, with its own certificate', async () => {
    expect(await download()).toEqual(bytes);
  });

  test('may not send to private addresses', async () => {
    await expect(download('https://10.0.0.1/x')).rejects.toMatchObject({
      reason: 'REGISTRY_FAILED',
    });
  });
});
