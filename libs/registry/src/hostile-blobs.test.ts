import { randomBytes } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import { sha256, startStub, type StubAnswer, type StubRegistry } from './testing/index.js';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { RegistryClient } from './registry-client.js';
import { parseRegistriesFile, registrySettings } from './registry-settings.js';
import { MemorySink } from './testing/memory-sink.js';

const BLOB = randomBytes(300_000);
const wanted = { digest: sha256(BLOB), size: BLOB.length };
const patience = { stallMs: 300, commitMs: 1000 };
const retry = { attempts: 4, firstDelayMs: 5, maxDelayMs: 50 };
const never = new AbortController().signal;

let stub: StubRegistry;
let client: RegistryClient;

afterEach(async () => {
  client.close();
  await stub.stop();
});

async function start(answer: StubAnswer): Promise<void> {
  stub = await startStub((request, response, count) =>
    request.url.includes('/blobs/') ? answer(request, response, count) : false,
  );
  const file = parseRegistriesFile(
    JSON.stringify({ registries: { [stub.host]: { insecure: true } } }),
  );
  client = new RegistryClient({
    settings: registrySettings(file, () => undefined),
    ...{ patience, retry },
  });
}

async function download(sink = new MemorySink(), signal = never): Promise<MemorySink> {
  await client.repository(stub.host, 'a/b').readBlob(wanted, sink, signal);
  return sink;
}

const fromOf = (range: string | undefined): number => Number(/=(\d+)-/.exec(range ?? '')?.[1] ?? 0);

/** As a good registry would. */
function serve(range: string | undefined, response: ServerResponse, bytes = BLOB): unknown {
  const from = fromOf(range);
  const last = bytes.length - 1;
  response.writeHead(range === undefined ? 200 : 206, {
    'content-length': bytes.length - from,
    ...(range === undefined ? {} : { 'content-range': `bytes ${from}-${last}/${bytes.length}` }),
  });
  return response.end(bytes.subarray(from));
}

/** Breaks off after so many bytes. */
function cut(range: string | undefined, response: ServerResponse, count: number): void {
  const from = fromOf(range);
  response.writeHead(range === undefined ? 200 : 206, {
    'content-length': BLOB.length - from,
    'content-range': `bytes ${from}-${BLOB.length - 1}/${BLOB.length}`,
  });
  response.write(BLOB.subarray(from, from + count), () => response.destroy());
}

describe('a download goes on', () => {
  test('where the connection broke, and asks for nothing twice', async () => {
    await start(({ range }, response, count) =>
      count < 3 ? cut(range, response, 100_000) : serve(range, response),
    );
    const sink = await download();
    expect(sink.bytes.equals(BLOB)).toBe(true);
    expect(sink.restarts).toBe(0);
    const begins = stub.seen.map(({ range }) => fromOf(range));
    expect(begins).toHaveLength(3);
    expect(begins[1]).toBeGreaterThan(0);
    expect(begins[2]).toBeGreaterThan(begins[1] ?? 0);
  });

  test('after a stall, which is noticed', async () => {
    await start(({ range }, response, count) => {
      if (count > 1) return serve(range, response);
      response.writeHead(200, { 'content-length': BLOB.length });
      return response.write(BLOB.subarray(0, 50_000));
    });
    expect((await download()).bytes.equals(BLOB)).toBe(true);
    expect(fromOf(stub.seen[1]?.range)).toBe(50_000);
  });

  test('after a trickle, which is a stall', async () => {
    const timers: NodeJS.Timeout[] = [];
    await start(({ range }, response, count) => {
      if (count > 1) return serve(range, response);
      response.writeHead(200, { 'content-length': BLOB.length });
      let at = 0;
      timers.push(setInterval(() => response.write(BLOB.subarray(at, ++at)), 20));
      return true;
    });
    const sink = await download();
    timers.forEach((timer) => {
      clearInterval(timer);
    });
    expect(sink.bytes.equals(BLOB)).toBe(true);
  });

  test.each([
    ['ignores Range', (response: ServerResponse) => serve(undefined, response)],
    [
      'answers another range, then from the beginning',
      (response: ServerResponse, range: string | undefined) => {
        if (range === undefined) return serve(undefined, response);
        response.writeHead(206, { 'content-range': `bytes 7-${BLOB.length - 1}/${BLOB.length}` });
        return response.end(BLOB.subarray(7));
      },
    ],
    [
      'says that there is no such range',
      (response: ServerResponse, range: string | undefined) =>
        range === undefined ? serve(undefined, response) : response.writeHead(416).end(),
    ],
  ])('from the beginning if the registry %s', async (_, rest) => {
    await start(({ range }, response, count) =>
      count === 1 ? cut(range, response, 100_000) : rest(response, range),
    );
    const sink = await download();
    expect(sink.bytes.equals(BLOB)).toBe(true);
    expect(sink.restarts).toBe(1);
  });

  test.each([429, 503])('after status %d, when the registry says', async (status) => {
    await start(({ range }, response, count) =>
      count === 1
        ? response.writeHead(status, { 'retry-after': '0' }).end()
        : serve(range, response),
    );
    expect((await download()).bytes.equals(BLOB)).toBe(true);
  });
});

describe('a download ends', () => {
  const fails = (reason: string) => expect(download()).rejects.toMatchObject({ reason });

  test('after so many tries without progress', async () => {
    await start((_, response) => response.writeHead(500).end('{"errors":[{"code":"UNKNOWN"}]}'));
    await fails('REGISTRY_UNAVAILABLE');
    expect(stub.seen).toHaveLength(retry.attempts);
  });

  test('with the second body that is not what its digest says', async () => {
    const wrong = Buffer.from(BLOB);
    wrong[12_345] = (wrong[12_345] ?? 0) ^ 1;
    await start(({ range }, response) => serve(range, response, wrong));
    await fails('DIGEST_MISMATCH');
    expect(stub.seen).toHaveLength(2);
  });

  test.each([
    ['announces more', { 'content-length': BLOB.length + 1 }, Buffer.concat([BLOB, Buffer.of(1)])],
    ['sends more without announcing it', {}, Buffer.concat([BLOB, randomBytes(1_000_000)])],
    ['encodes it', { 'content-encoding': 'gzip' }, BLOB],
  ])('if the registry %s', async (_, headers, body) => {
    await start((__, response) => response.writeHead(200, headers).end(body));
    const sink = new MemorySink();
    await expect(download(sink)).rejects.toMatchObject({ reason: 'REGISTRY_FAILED' });
    expect(sink.size).toBeLessThanOrEqual(BLOB.length);
  });

  test('if the registry never stops to send less', async () => {
    await start((_, response) => response.writeHead(200).end(BLOB.subarray(0, 10)));
    await fails('REGISTRY_UNAVAILABLE');
  });

  test('when it is given up, with its connections', async () => {
    await start((_, response) => {
      response.writeHead(200, { 'content-length': BLOB.length });
      return response.write(BLOB.subarray(0, 1000));
    });
    const abort = new AbortController();
    const sink = new MemorySink();
    const running = download(sink, abort.signal);
    running.catch(() => undefined);
    await vi.waitFor(() => {
      expect(sink.size).toBe(1000);
    });
    abort.abort(new Error('enough'));
    await expect(running).rejects.toThrow('enough');
    await vi.waitFor(() => {
      expect(stub.openConnections()).toBe(0);
    });
  });
});
