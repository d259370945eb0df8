import { join } from 'node:path';
import { silentLogger } from '@teu/log';
import {
  ContentServiceService,
  Damage,
  DamageAction,
  DamageKind,
  GetContentUsageResponse,
  PruneImagesResponse,
  VerifySummary,
  type PruneImagesRequest,
  type VerifyImagesRequest,
} from '@teu/proto/image';
import { implement, startRpcServer, type Handlers, type RpcServer } from '@teu/rpc';
import { tempDir, type TempDir } from '@teu/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Input } from '../../context.js';
import { runProgram } from '../../program.js';
import { ServiceConnections } from '../../services.js';
import { fakeContext } from '../../testing/fake-context.js';

const ID = `sha256:${'ab'.repeat(32)}`;

let directory: TempDir;
let server: RpcServer;
let services: ServiceConnections;
let prunes: PruneImagesRequest[];
let verifications: VerifyImagesRequest[];
let remainingCount: number;

const content: Partial<Handlers<typeof ContentServiceService>> = {
  pruneImages: async (request) => {
    prunes.push(request);
    const kept = { 'db:1': 'a container stands on it' };
    const gone = { untagged: ['app:1'], deleted: [ID], reclaimedBytes: 16_430_000 };
    return PruneImagesResponse.create({ ...gone, kept });
  },
  verifyImages: async function* (request) {
    verifications.push(request);
    const progress = { currentBytes: 1, totalBytes: 2, currentLayers: 0, totalLayers: 0 };
    yield { event: { $case: 'progress', value: progress } };
    const value = Damage.create({
      ...{ kind: DamageKind.DAMAGE_KIND_LAYER_CHANGED, chainId: ID, driver: 'overlay2' },
      ...{ images: ['app:1'], detail: '"etc/\u001bpasswd": other', digest: '' },
      action: DamageAction.DAMAGE_ACTION_QUARANTINED,
    });
    if (remainingCount > 0) yield { event: { $case: 'damage', value } };
    const counts = { imageCount: 1, blobCount: 3, blobBytes: 4_260_000, layerCount: 1 };
    const summary = VerifySummary.create({
      ...{ ...counts, remainingCount, damageCount: remainingCount, skippedDrivers: ['native'] },
    });
    yield { event: { $case: 'summary', value: summary } };
  },
  getContentUsage: async () =>
    GetContentUsageResponse.create({
      ...{ totalBytes: 3_000_000, imageBytes: 2_000_000, metadataBytes: 1_000_000 },
      ...{ imageCount: 2, blobCount: 7 },
    }),
};

beforeEach(async () => {
  directory = tempDir();
  [prunes, verifications, remainingCount] = [[], [], 0];
  const none = async (): Promise<never> => Promise.reject(new Error('not asked for'));
  const names = Object.keys(ContentServiceService).map((name) => [name, none]);
  const all = { ...Object.fromEntries(names), ...content } as Handlers<
    typeof ContentServiceService
  >;
  server = await startRpcServer({
    ...{ name: 'image', version: '0', log: silentLogger },
    address: `unix:${join(directory.path, 'image.sock')}`,
    services: [implement(ContentServiceService, all)],
  });
  services = new ServiceConnections(directory.path);
});

afterEach(async () => {
  services.close();
  await server.close();
  directory.remove();
});

function terminal(answer: string): Input {
  return {
    isTerminal: true,
    read: async function* () {
      yield Buffer.from(answer);
    },
  };
}

async function run(args: string[], stdin?: Input) {
  const fake = fakeContext({ args, services, ...(stdin === undefined ? {} : { stdin }) });
  const exitCode = await runProgram(fake.context);
  return { exitCode, stdout: fake.stdout(), stderr: fake.stderr() };
}

describe('image prune', () => {
  test('asks, and tells what is gone and what stays in docker’s words', async () => {
    const { exitCode, stdout, stderr } = await run(['image', 'prune', '-a'], terminal('y\n'));
    expect(exitCode).toBe(0);
    expect(stderr).toBe(
      'WARNING! This will remove all images without at least one container associated to them.\n' +
        'Are you sure you want to continue? [y/N] ',
    );
    expect(stdout).toBe(
      `Deleted Images:\nuntagged: app:1\ndeleted: ${ID}\n\n` +
        'kept: db:1: a container stands on it\n\nTotal reclaimed space: 16.4MB\n',
    );
    expect(prunes).toMatchObject([{ all: true, dryRun: false }]);
  });

  test('does nothing without a yes, nor without somebody to ask', async () => {
    expect((await run(['image', 'prune'], terminal('n\n'))).exitCode).toBe(1);
    const { stderr, exitCode } = await run(['image', 'prune']);
    expect(exitCode).not.toBe(0);
    expect(stderr).toContain('--force');
    expect(prunes).toEqual([]);
  });

  test('takes filters', async () => {
    const filters = ['--filter', 'until=24h', '--filter', 'label=a=b', '--filter', 'label=c'];
    await run(['image', 'prune', '-f', ...filters]);
    expect(prunes).toMatchObject([{ labels: ['a=b', 'c'], unusedFor: { seconds: 86_400 } }]);
    const wrong = await run(['image', 'prune', '-f', '--filter', 'before=x']);
    expect(wrong.stderr).toContain('unknown filter "before=x"');
    expect(prunes).toHaveLength(1);
  });

  test('tells in JSON', async () => {
    const { stdout } = await run(['image', 'prune', '--dry-run', '--format', 'json']);
    expect(JSON.parse(stdout)).toMatchObject({ deleted: [ID] });
    expect(prunes).toMatchObject([{ dryRun: true }]);
  });
});

describe('image verify', () => {
  test('says that nothing is wrong', async () => {
    const { exitCode, stdout } = await run(['image', 'verify', '--read-data', 'app:1']);
    expect([exitCode, stdout]).toEqual([
      0,
      'layers in native were not compared: it cannot, or does not answer\n' +
        '1 image, 3 blobs (4.26MB), 1 layer: nothing is wrong\n',
    ]);
    expect(verifications).toMatchObject([
      { references: ['app:1'], readData: true, repair: false, drivers: [] },
    ]);
  });

  test('tells of each damage, and ends with 1 if some remains', async () => {
    remainingCount = 1;
    const { exitCode, stdout } = await run(['image', 'verify', '--repair']);
    expect(exitCode).toBe(1);
    expect(stdout.split('\n')[0]).toBe(
      'damaged layer abababababab in overlay2 of app:1: "etc/\\u001bpasswd": other; in quarantine',
    );
    expect(stdout).toContain('1 damaged, of which 1 remains');
  });
});

test('image usage adds up', async () => {
  const { stdout } = await run(['image', 'usage']);
  expect(stdout).toContain('images (2, of 7 blobs)');
  expect(stdout.trim().split('\n').at(-1)).toMatch(/^total +3MB$/);
});
