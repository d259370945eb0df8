import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { DistributionServiceService, type RegistryCredentials } from '@teu/proto/image';
import { makeCertificate, startTokenServer, type StubRegistry } from '@teu/registry/testing';
import { requires, runProgram, startRegistry, type TestRegistry } from '@teu/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { pull, push } from './testing/distribution-calls.js';
import { startImageStand, type ImageStand } from './testing/image-stand.js';
import { archiveTar, ociFiles } from './testing/make-image.js';
import { makeTar } from './testing/make-tar.js';

const USER = 'somebody';
const PASSWORD = 'secret:with colon';
const LAYERS = [makeTar({ name: 'f', data: 'data' })];

let stand: ImageStand;
let tls: TestRegistry;
let mutual: TestRegistry;
let basic: TestRegistry;
let token: TestRegistry;
let tokens: StubRegistry;

beforeAll(async () => {
  requires('root', 'overlayfs', 'docker-registry', 'htpasswd');
  stand = await startImageStand();
  const certificate = makeCertificate(stand.directory, 'test');
  const { certificateFile, keyFile } = certificate;
  const secure = { certificate: certificateFile, key: keyFile };
  const made = await runProgram('htpasswd', ['-nbB', '-C', '4', USER, PASSWORD]);
  const htpasswd = stand.file('htpasswd', Buffer.from(made.stdout));
  const service = 'registry of a test';
  const issuer = 'issuer of a test';
  const login = `${USER}:${PASSWORD}`;
  tokens = await startTokenServer({ certificate, login, service, issuer, anonymous: ['pull'] });
  const realm = `http://${tokens.host}/token`;
  [tls, mutual, basic, token] = await Promise.all([
    startRegistry({ tls: secure }),
    startRegistry({ tls: { ...secure, clientAuthority: certificateFile } }),
    startRegistry({ tls: secure, htpasswd }),
    startRegistry({ token: { realm, service, issuer, rootCertificates: certificateFile } }),
  ]);
  const certificates = join(stand.directory, 'certs.d');
  mkdirSync(join(certificates, mutual.host), { recursive: true });
  const names = {
    'ca.crt': 'certificate',
    'client.cert': 'certificate',
    'client.key': 'key',
  } as const;
  for (const [name, member] of Object.entries(names)) {
    writeFileSync(join(certificates, mutual.host, name), certificate[member]);
  }
  const registries = { [tls.host]: { ca: certificateFile }, [basic.host]: { ca: certificateFile } };
  const file = stand.file('registries.json', Buffer.from(JSON.stringify({ registries })));
  stand.service.kill('SIGTERM');
  await stand.restart({
    TEU_IMAGE_REGISTRIES_FILE: file,
    TEU_IMAGE_CERTIFICATES_DIR: certificates,
  });
  const path = stand.file('a', archiveTar(ociFiles({ layers: LAYERS })));
  for (const { host } of [tls, mutual, basic, token]) {
    await stand.load({ path, reference: `${host}/some/app:1` });
  }
});

afterAll(async () => {
  await Promise.all([tls, mutual, basic, token].map((registry) => registry.stop()));
  await tokens.stop();
  await stand.stop();
});

const credentials = (host: string, password = PASSWORD): RegistryCredentials[] => [
  { registry: host, secret: { $case: 'userPassword', value: { user: USER, password } } },
];
const check = (host: string, password?: string) =>
  stand.service.channel.unary(DistributionServiceService.checkCredentials, {
    credentials: credentials(host, password)[0],
  });
const nameAt = ({ host }: TestRegistry) => `${host}/some/app:1`;

describe('TLS', () => {
  it('is spoken with the authority of registries.json', async () => {
    const { result } = await push(stand.service, { reference: nameAt(tls) });
    expect((await pull(stand.service, { reference: nameAt(tls) })).result).toMatchObject({
      digest: result.manifestDigest,
      isUpToDate: true,
    });
  });

  it('is spoken with what docker has in certs.d, also to say who we are', async () => {
    const { result } = await push(stand.service, { reference: nameAt(mutual) });
    expect(result.uploadedBytes).toBeGreaterThan(0);
  });
});

describe.each([
  ['passwords', () => basic],
  ['tokens', () => token],
])('a registry with %s', (_, registry) => {
  it('is pushed to and pulled from with a login, and not pushed to without', async () => {
    const reference = nameAt(registry());
    const denied = { reason: 'REGISTRY_DENIED', metadata: { host: expect.any(String) as string } };
    await expect(push(stand.service, { reference })).rejects.toMatchObject(denied);
    const known = credentials(registry().host);
    const wrong = credentials(registry().host, 'wrong');
    await expect(push(stand.service, { reference, credentials: wrong })).rejects.toMatchObject(
      denied,
    );
    const { result } = await push(stand.service, { reference, credentials: known });
    expect(result.uploadedBytes).toBeGreaterThan(0);
    const pulled = await pull(stand.service, { reference, credentials: known });
    expect(pulled.result.digest).toBe(result.manifestDigest);
  });

  it('tells whether a login is right', async () => {
    await expect(check(registry().host)).resolves.toEqual({ identityToken: '' });
    await expect(check(registry().host, 'wrong')).rejects.toMatchObject({
      reason: 'REGISTRY_DENIED',
    });
    expect(stand.service.logs()).not.toContain(PASSWORD);
  });
});

it('what anybody may read is read with a token of nobody', async () => {
  const { result } = await pull(stand.service, { reference: nameAt(token) });
  expect(result.isUpToDate).toBe(true);
  expect(tokens.seen.at(-1)?.authorization).toBeUndefined();
});
