import { afterEach, describe, expect, test } from 'vitest';
import type { RegistryClient } from './registry-client.js';
import { stubClient } from './testing/stub-client.js';
import { sha256, startStub, type StubAnswer, type StubRegistry } from './testing/index.js';

const never = new AbortController().signal;
const MANIFEST_BYTES_MAX = 4 * 1024 * 1024;
const INDEX_TYPE = 'application/vnd.oci.image.index.v1+json';

let client: RegistryClient;
let stub: StubRegistry;

afterEach(async () => {
  client.close();
  await stub.stop();
});

async function start(answer: StubAnswer) {
  stub = await startStub(answer);
  client = stubClient({ [stub.host]: { insecure: true } });
  return client.repository(stub.host, 'a/b');
}

describe('a document', () => {
  test('has at most 4 MiB, whether its length is announced or not', async () => {
    for (const headers of [{ 'content-length': MANIFEST_BYTES_MAX + 1 }, {}]) {
      const body = Buffer.alloc(MANIFEST_BYTES_MAX + 1, ' ');
      const repository = await start((_, response) => response.writeHead(200, headers).end(body));
      await expect(repository.getManifest('1', never)).rejects.toMatchObject({
        reason: 'IMAGE_INVALID',
      });
      client.close();
      await stub.stop();
    }
    const repository = await start((_, response) =>
      response.writeHead(200).end(Buffer.alloc(MANIFEST_BYTES_MAX, ' ')),
    );
    expect((await repository.getManifest('1', never)).bytes).toHaveLength(MANIFEST_BYTES_MAX);
  });

  test('that is endless is not read to its end', async () => {
    let sent = 0;
    const repository = await start((_, response) => {
      response.writeHead(200);
      const more = (): void => {
        while (!response.destroyed && response.write(Buffer.alloc(65_536, ' '))) sent += 65_536;
        sent += 65_536;
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    await expect(repository.getManifest('1', never)).rejects.toMatchObject({
      reason: 'IMAGE_INVALID',
    });
    expect(sent).toBeLessThan(4 * MANIFEST_BYTES_MAX);
  });

  test('must have the digest that it is asked for by', async () => {
    const repository = await start((_, response) => response.writeHead(200).end('{}'));
    await expect(repository.getManifest(sha256('other'), never)).rejects.toMatchObject({
      reason: 'DIGEST_MISMATCH',
    });
    await expect(repository.getSmallBlob(sha256('other'), never)).rejects.toMatchObject({
      reason: 'DIGEST_MISMATCH',
    });
  });
});

test('what a registry says about its refusal is shown on one line, in part', async () => {
  const message = `no\r\nway \u001b[31m${'x'.repeat(5_000_000)}`;
  const repository = await start((_, response) =>
    response
      .writeHead(403)
      .end(JSON.stringify({ errors: [{ code: 'DENIED', message: 'no\r\nway' }] })),
  );
  await expect(repository.getManifest('1', never)).rejects.toMatchObject({
    reason: 'REGISTRY_DENIED',
    message: `${stub.host}/a/b: reading the manifest 1: access was denied (DENIED: no way)`,
  });
  client.close();
  await stub.stop();
  const large = await start((_, response) =>
    response.writeHead(400).end(JSON.stringify({ errors: [{ code: 'X', message }] })),
  );
  await expect(large.getManifest('1', never)).rejects.toMatchObject({ reason: 'REGISTRY_FAILED' });
});

describe('referrers', () => {
  const entry = { mediaType: 'm', digest: sha256('x'), size: 1 };
  const index = JSON.stringify({ schemaVersion: 2, mediaType: INDEX_TYPE, manifests: [entry] });
  const headers = { 'content-type': INDEX_TYPE };

  test('come from the API, page by page', async () => {
    const repository = await start(({ url }, response) => {
      const next = '</v2/a/b/referrers/x?page=2>; rel="next"';
      response.writeHead(200, { ...headers, ...(url.includes('page=2') ? {} : { link: next }) });
      response.end(index);
    });
    const { manifests } = await repository.listReferrers(sha256('s'), '', never);
    expect(manifests).toEqual([entry, entry]);
  });

  test('come from the tag that stands in for it', async () => {
    const tag = `/v2/a/b/manifests/${sha256('s').replace(':', '-')}`;
    const repository = await start(({ url }, response) =>
      url === tag ? response.writeHead(200, headers).end(index) : false,
    );
    const { manifests } = await repository.listReferrers(sha256('s'), '', never);
    expect(manifests).toEqual([entry]);
  });

  test('are none where there is neither', async () => {
    const repository = await start(() => false);
    expect(await repository.listReferrers(sha256('s'), '', never)).toEqual({ manifests: [] });
  });

  test('end, however many pages there are', async () => {
    const repository = await start((_, response) =>
      response.writeHead(200, { ...headers, link: '</v2/again>; rel=next' }).end(index),
    );
    const { manifests } = await repository.listReferrers(sha256('s'), '', never);
    expect(manifests).toHaveLength(100);
  });
});
