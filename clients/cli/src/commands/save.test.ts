import { join } from 'node:path';
import { teuError } from '@teu/errors';
import { silentLogger } from '@teu/log';
import { BaseServiceService } from '@teu/proto/engine';
import {
  ArchiveFormat,
  ArchiveServiceService,
  HistoryEntry,
  Image,
  ImageServiceService,
  type SaveImagesRequest,
} from '@teu/proto/image';
import { implement, startRpcServer, type Handlers, type RpcServer } from '@teu/rpc';
import { tempDir, type TempDir } from '@teu/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Context } from '../context.js';
import { runProgram } from '../program.js';
import { ServiceConnections } from '../services.js';
import { fakeContext } from '../testing/fake-context.js';
import { candidates } from './complete.js';

const imageId = `sha256:${'ab'.repeat(32)}`;
const manifestDigest = `sha256:${'cd'.repeat(32)}`;
const archive = Buffer.from([0, 255, 10, 128]);
const manifest = Buffer.from('{ "schemaVersion": 2 }\n');

let directory: TempDir;
let servers: RpcServer[];
let services: ServiceConnections;
let saved: SaveImagesRequest[];

const archives: Partial<Handlers<typeof ArchiveServiceService>> = {
  saveImages: async function* (request) {
    saved.push(request);
    yield { event: { $case: 'progress', value: { currentBytes: 1, totalBytes: 2 } } };
    yield { event: { $case: 'result', value: { totalBytes: 2, digest: manifestDigest } } };
  },
  downloadImages: async function* ({ references }) {
    if (references.includes('gone')) throw teuError('IMAGE_NOT_FOUND', 'there is no image "gone"');
    yield { data: archive };
    yield { data: archive };
  },
  getImageHistory: async () => ({
    entries: [
      HistoryEntry.create({ createdBy: 'ENV \u001b[31m', isEmptyLayer: true }),
      HistoryEntry.create({
        ...{ createdBy: `ADD ${'x'.repeat(60)}`, sizeBytes: 1234, comment: 'base' },
        ...{ references: ['debian:12'], createTime: new Date('2020-01-01T00:00:00Z') },
      }),
      HistoryEntry.create({}),
    ],
  }),
  getImageDocuments: async () => ({
    ...{ manifest, manifestMediaType: 'application/vnd.oci.image.manifest.v1+json' },
    config: Buffer.from('{"os":"linux"}'),
  }),
};
const images: Partial<Handlers<typeof ImageServiceService>> = {
  getImage: async () => ({
    image: Image.create({
      ...{ id: imageId, manifestDigest },
      references: ['localhost:5000/app:1', 'localhost:5000/app:2', 'app:1'],
    }),
  }),
  listImages: async () => ({
    images: [Image.create({ references: ['app:1'] })],
    nextPageToken: '',
  }),
};
const bases: Partial<Handlers<typeof BaseServiceService>> = {
  listBaseEdits: async () => ({ edits: [], nextPageToken: '' }),
};

beforeAll(async () => {
  directory = tempDir();
  const serve = (name: string, ...parts: ReturnType<typeof implement>[]) =>
    startRpcServer({
      ...{ name, version: '1', services: parts, log: silentLogger },
      address: `unix:${join(directory.path, `${name}.sock`)}`,
    });
  servers = [
    await serve(
      'image',
      implement(ArchiveServiceService, archives as Handlers<typeof ArchiveServiceService>),
      implement(ImageServiceService, images as Handlers<typeof ImageServiceService>),
    ),
    await serve(
      'engine',
      implement(BaseServiceService, bases as Handlers<typeof BaseServiceService>),
    ),
  ];
  services = new ServiceConnections(directory.path);
});
beforeEach(() => {
  saved = [];
});
afterAll(async () => {
  services.close();
  await Promise.all(servers.map((server) => server.close()));
  directory.remove();
});

async function teu(args: string[], parts: Partial<Context> = {}) {
  const fake = fakeContext({ args, services, cwd: '/here', ...parts });
  const code = await runProgram(fake.context);
  return { code, stdout: fake.stdout(), stderr: fake.stderr() };
}

test('save has the service write a file, and tells what it is for programs', async () => {
  expect(await teu(['save', '-o', 'a.tar', 'app:1', 'b'])).toEqual({
    code: 0,
    stdout: '',
    stderr: '',
  });
  expect(saved).toEqual([
    {
      path: '/here/a.tar',
      references: ['app:1', 'b'],
      format: ArchiveFormat.ARCHIVE_FORMAT_DOCKER,
    },
  ]);
  const { stdout } = await teu([
    'image',
    'save',
    '--type',
    'oci',
    '-o',
    '/x',
    '--format',
    'json',
    'b',
  ]);
  expect(JSON.parse(stdout)).toEqual({ totalBytes: 2, digest: manifestDigest });
  expect(saved[1]?.format).toBe(ArchiveFormat.ARCHIVE_FORMAT_OCI_LAYOUT);
});

test('save writes to standard output, but to no terminal', async () => {
  const written: Uint8Array[] = [];
  const stdout = (isTerminal: boolean): Context['stdout'] => ({
    isTerminal,
    write: (data) => {
      written.push(Buffer.from(data));
      return Promise.resolve();
    },
  });
  expect((await teu(['save', 'app:1'], { stdout: stdout(false) })).code).toBe(0);
  expect(Buffer.concat(written)).toEqual(Buffer.concat([archive, archive]));
  expect(await teu(['save', 'app:1'], { stdout: stdout(true) })).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('-o FILE') as string,
  });
  expect((await teu(['save', 'gone'])).stderr).toContain('there is no image "gone"');
  expect((await teu(['save', '--format', 'json', 'app:1'])).stderr).toContain('-o FILE');
  expect((await teu(['save', '--type', 'zip', 'app:1'])).stderr).toContain('docker, oci');
  expect((await teu(['save'])).code).toBe(1);
});

test('history shows steps, the newest with the image itself', async () => {
  const { stdout } = await teu(['history', 'app']);
  const lines = stdout.split('\n');
  expect(lines[0]).toMatch(/^IMAGE +CREATED +CREATED BY +SIZE +COMMENT$/);
  expect(lines[1]).toMatch(/^abababababab .*ENV .*0B$/);
  expect(lines[1]).not.toContain('\u001b');
  expect(lines[2]).toMatch(/^debian:12 .* years ago +ADD x{40}… +1.23kB +base$/);
  expect(lines[3]).toMatch(/^<missing>/);
  const exact = (await teu(['history', '--human=false', '--no-trunc', 'app'])).stdout;
  expect(exact).toMatch(/2020-01-01T00:00:00.000Z +ADD x{60} +1234 +base/);
  expect(exact).toContain(imageId);
  const ids = (await teu(['image', 'history', '-q', 'app'])).stdout;
  expect(ids).toBe('abababababab\ndebian:12\n<missing>\n');
  const parsed = JSON.parse((await teu(['history', '--format', 'json', 'app'])).stdout) as object[];
  expect(parsed).toMatchObject([{ isEmptyLayer: true }, { sizeBytes: 1234 }, {}]);
});

test('image inspect has names, digests and documents, and gives one byte by byte', async () => {
  const { stdout } = await teu(['image', 'inspect', 'app']);
  expect(JSON.parse(stdout)).toMatchObject([
    {
      repoTags: ['localhost:5000/app:1', 'localhost:5000/app:2', 'app:1'],
      repoDigests: [`localhost:5000/app@${manifestDigest}`, `app@${manifestDigest}`],
      manifest: { schemaVersion: 2 },
      configDocument: { os: 'linux' },
      baseEdits: [],
    },
  ]);
  const raw = await teu(['image', 'inspect', '--raw', 'manifest', 'app']);
  expect(raw.stdout).toBe(manifest.toString());
  expect((await teu(['image', 'inspect', '--raw', 'config', 'a', 'b'])).stderr).toContain(
    'one image',
  );
});

test('they complete images, files and types', async () => {
  const { context } = fakeContext({ services });
  expect(await candidates(context, ['save', ''])).toEqual(['app:1']);
  expect(await candidates(context, ['save', '-o', ''])).toEqual([':files']);
  expect(await candidates(context, ['image', 'save', '--type', ''])).toEqual(['docker', 'oci']);
  expect(await candidates(context, ['history', ''])).toEqual(['app:1']);
  expect(await candidates(context, ['image', 'inspect', '--raw', ''])).toEqual([
    'manifest',
    'config',
  ]);
});
