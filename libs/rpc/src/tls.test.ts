import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { connect, type TlsFiles } from './index.js';
import { EchoService, startEcho } from './test/echo.js';

let directory = '';

function openssl(...args: string[]): void {
  const result = spawnSync('openssl', args, { cwd: directory, encoding: 'utf8' });
  if (result.status !== 0) throw new Error(`openssl ${args.join(' ')}: ${result.stderr}`);
}

/** An authority and a certificate for localhost that it signed. */
function makeCertificates(name: string): TlsFiles {
  const curve = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];
  openssl(
    'req',
    '-x509',
    ...curve,
    '-keyout',
    `${name}-ca.key`,
    '-out',
    `${name}-ca.pem`,
    '-subj',
    `/CN=${name}`,
  );
  openssl(
    'req',
    ...curve,
    '-keyout',
    `${name}.key`,
    '-out',
    `${name}.csr`,
    '-subj',
    '/CN=localhost',
    '-addext',
    'subjectAltName=DNS:localhost',
  );
  openssl(
    'x509',
    '-req',
    '-in',
    `${name}.csr`,
    '-CA',
    `${name}-ca.pem`,
    '-CAkey',
    `${name}-ca.key`,
    '-CAcreateserial',
    '-copy_extensions',
    'copy',
    '-out',
    `${name}.pem`,
  );
  return {
    certFile: join(directory, `${name}.pem`),
    keyFile: join(directory, `${name}.key`),
    caFile: join(directory, `${name}-ca.pem`),
  };
}

let ours: TlsFiles;
let theirs: TlsFiles;

beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), 'teu-tls-'));
  ours = makeCertificates('ours');
  theirs = makeCertificates('theirs');
});

afterAll(() => rmSync(directory, { recursive: true, force: true }));

test('TCP serves peers whose certificate the authority signed, and nobody else', async () => {
  await using echo = await startEcho({}, { address: 'localhost:0', tls: ours });
  expect(echo.address).toMatch(/^localhost:[1-9]\d*$/);
  const call = async (tls: TlsFiles | undefined): Promise<string> => {
    const channel = connect(echo.address, tls === undefined ? {} : { tls });
    try {
      const options = { timeoutMs: 3000 };
      return (await channel.unary(EchoService.one, { text: 'hello' }, options)).text;
    } finally {
      channel.close();
    }
  };
  expect(await call(ours)).toBe('hello');
  const strangers = [undefined, theirs, { ...theirs, caFile: ours.caFile }];
  for (const tls of strangers) {
    await expect(call(tls)).rejects.toMatchObject({
      reason: expect.stringMatching(/^(UNAVAILABLE|DEADLINE_EXCEEDED)$/) as string,
    });
  }
  expect(await call(ours)).toBe('hello');
});

test('files that cannot be read are named by their setting', async () => {
  await expect(
    startEcho({}, { address: 'localhost:0', tls: { ...ours, keyFile: '/nonexistent' } }),
  ).rejects.toThrow('keyFile');
});
