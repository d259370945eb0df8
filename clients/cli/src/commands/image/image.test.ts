import { join } from 'node:path';
import { teuError } from '@teu/errors';
import { silentLogger } from '@teu/log';
import type { EditBaseResponse, UpgradeStep } from '@teu/proto/engine';
import {
  BaseEdit,
  BaseServiceService,
  BaseUpgrade,
  BaseUpgradeState,
  ContainerExit,
  ContainerState,
  PlanBaseUpgradeResponse,
  RebaseState,
  RebaseTiming,
  UpgradedContainer,
  type EditBaseHeader,
} from '@teu/proto/engine';
import { LogRecord, OutputStream } from '@teu/proto/executor';
import { ArchiveServiceService, ChangeKind, Image, ImageServiceService } from '@teu/proto/image';
import { implement, startRpcServer, type Handlers, type RpcServer } from '@teu/rpc';
import { tempDir, type TempDir } from '@teu/testing';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Input } from '../../context.js';
import { runProgram } from '../../program.js';
import { ServiceConnections } from '../../services.js';
import { fakeContext } from '../../testing/fake-context.js';
import { candidates } from '../complete.js';

const upgrade = BaseUpgrade.fromPartial({
  ...{ id: '0123456789abcdef'.repeat(2), oldReference: 'debian:1', newReference: 'debian:2' },
  state: BaseUpgradeState.BASE_UPGRADE_STATE_COMPLETED,
  images: [
    {
      ...{ oldImageId: 'sha256:aaaaaaaaaaaaaaaa', newImageId: 'sha256:bbbbbbbbbbbbbbbb' },
      ...{ references: ['app:1'], movedReferences: ['app:1'] },
    },
  ],
  ...{ doneCount: 2, scheduledCount: 1, failedCount: 1, imageCount: 1 },
});
const container = (name: string, state: RebaseState, more: Partial<UpgradedContainer> = {}) =>
  UpgradedContainer.create({ name, state, ...more });
const containers = [
  container('web', RebaseState.REBASE_STATE_DONE, { isLive: true }),
  container('db', RebaseState.REBASE_STATE_SCHEDULED),
  container('bad', RebaseState.REBASE_STATE_FAILED, { detail: 'the disk \u001b[31m is full' }),
];
const edit = BaseEdit.fromPartial({
  ...{ id: 'fedc'.repeat(8), reference: 'debian:1', driver: 'aufs', reason: 'a hole', userId: 0 },
  ...{ changeCount: 1, containerCount: 7 },
});
const change = { kind: ChangeKind.CHANGE_KIND_CONTENT, path: '/etc/issue' };

let directory: TempDir;
let servers: RpcServer[];
let services: ServiceConnections;
let steps: UpgradeStep[];
let editExit: number;
let headers: EditBaseHeader[];
let consents: (boolean | undefined)[];

async function* editParts(requests: AsyncIterable<{ part?: unknown }>) {
  const parts = requests[Symbol.asyncIterator]();
  const first = (await parts.next()) as { value: { part: { value: EditBaseHeader } } };
  const header = first.value.part.value;
  headers.push(header);
  const stream = OutputStream.OUTPUT_STREAM_STDERR;
  const record = LogRecord.create({ stream, data: Buffer.from('fixing\n') });
  const tell = (part: EditBaseResponse['part']): EditBaseResponse => ({ part });
  yield tell({ $case: 'record', value: record });
  yield tell({ $case: 'exit', value: ContainerExit.create({ exitCode: editExit }) });
  if (editExit !== 0) return;
  yield tell({ $case: 'changes', value: { changes: [change], error: '' } });
  yield tell({ $case: 'proposal', value: { changeCount: 1, containerCount: 7 } });
  if (header.dryRun) return;
  if (!header.hasConsent) {
    const answer = (await parts.next()) as { value?: { part: { value: boolean } } };
    consents.push(answer.value?.part.value);
    if (answer.value?.part.value !== true) return;
  }
  yield tell({ $case: 'edit', value: edit });
}

const bases: Partial<Handlers<typeof BaseServiceService>> = {
  planBaseUpgrade: async function* ({ skipFiles }) {
    const { CONTAINER_STATE_RUNNING: state } = ContainerState;
    const parts: PlanBaseUpgradeResponse['part'][] = [
      {
        $case: 'image',
        value: { id: 'sha256:aaaaaaaaaaaaaaaa', references: ['app:1'], ownLayerCount: 2 },
      },
      {
        $case: 'container',
        value: {
          ...{ id: 'c', name: 'db', imageId: 'sha256:aaaaaaaaaaaaaaaa', driver: 'overlay2', state },
          ...{ timing: RebaseTiming.REBASE_TIMING_AT_NEXT_START, detail: '' },
        },
      },
      ...(skipFiles
        ? []
        : [{ $case: 'changes' as const, value: { changes: [change], error: '' } }]),
    ];
    for (const part of parts) yield { part };
    const conflict = { imageId: '', containerId: 'c', name: 'db', path: '/etc/issue', error: '' };
    const kinds = { baseChange: change.kind, ownChange: ChangeKind.CHANGE_KIND_REMOVED };
    if (!skipFiles) yield { part: { $case: 'conflict', value: { ...conflict, ...kinds } } };
    const count = skipFiles ? 0 : 1;
    const value = PlanBaseUpgradeResponse.fromPartial({
      part: {
        $case: 'summary',
        value: { imageCount: 1, scheduledCount: 1, changeCount: count, conflictCount: count },
      },
    });
    yield value;
  },
  upgradeBase: async function* () {
    for (const step of steps) yield { step };
  },
  undoBaseUpgrade: async function* ({ upgradeId }) {
    if (upgradeId !== '0123') throw teuError('BASE_UPGRADE_NOT_FOUND', 'there is no such upgrade');
    const state = BaseUpgradeState.BASE_UPGRADE_STATE_UNDONE;
    const value = { ...upgrade, state, doneCount: 0, undoneCount: 4, failedCount: 0 };
    yield { step: { part: { $case: 'summary', value } } };
  },
  listBaseUpgrades: async () => ({ upgrades: [upgrade], nextPageToken: '' }),
  getBaseUpgrade: async () => ({ upgrade, containers, nextPageToken: '' }),
  editBase: editParts,
  listBaseEdits: async () => ({ edits: [edit], nextPageToken: '' }),
};
const images: Partial<Handlers<typeof ImageServiceService>> = {
  getImage: async () => ({ image: Image.create({ id: 'sha256:aaaa', references: ['debian:1'] }) }),
};
const archives: Partial<Handlers<typeof ArchiveServiceService>> = {
  getImageDocuments: async () => ({
    ...{ manifest: Buffer.from('{}'), config: Buffer.from('{}'), manifestMediaType: '' },
  }),
};

beforeEach(async () => {
  directory = tempDir();
  headers = [];
  consents = [];
  editExit = 0;
  steps = [
    { part: { $case: 'begun', value: upgrade } },
    ...upgrade.images.map((value) => ({ part: { $case: 'image' as const, value } })),
    ...containers.map((value) => ({ part: { $case: 'container' as const, value } })),
    { part: { $case: 'summary', value: upgrade } },
  ];
  const serve = (name: string, ...parts: ReturnType<typeof implement>[]) =>
    startRpcServer({
      ...{ name, version: '1', services: parts, log: silentLogger },
      address: `unix:${join(directory.path, `${name}.sock`)}`,
    });
  servers = [
    await serve(
      'engine',
      implement(BaseServiceService, bases as Handlers<typeof BaseServiceService>),
    ),
    await serve(
      'image',
      implement(ImageServiceService, images as Handlers<typeof ImageServiceService>),
      implement(ArchiveServiceService, archives as Handlers<typeof ArchiveServiceService>),
    ),
  ];
  services = new ServiceConnections(directory.path);
});
afterEach(async () => {
  services.close();
  for (const server of servers) await server.close();
  directory.remove();
});

/** Runs a command; with an answer, on a terminal on which somebody gives it. */
async function image(words: string[], answer?: string) {
  const stdin: Input = {
    isTerminal: answer !== undefined,
    read: async function* () {
      yield Buffer.from(answer ?? '');
    },
  };
  const fake = fakeContext({ args: ['image', ...words], services, stdin });
  const code = await runProgram(fake.context);
  return { code, stdout: fake.stdout(), stderr: fake.stderr() };
}

const lines = (text: string) => text.trim().split('\n');

describe('upgrade-base', () => {
  test('--dry-run prints tables, and how many of what there are', async () => {
    const { code, stdout } = await image(['upgrade-base', 'debian:1', 'debian:2', '--dry-run']);
    expect(code).toBe(0);
    expect(stdout).toMatch(/^aaaaaaaaaaaa +app:1 +2$/m);
    expect(stdout).toMatch(/^db +aaaaaaaaaaaa +overlay2 +running +at its next start$/m);
    expect(stdout).toMatch(/^ {2}content +\/etc\/issue$/m);
    expect(stdout).toMatch(/^db +container +\/etc\/issue +content +removed$/m);
    expect(lines(stdout).at(-1)).toBe(
      'would make 1 image anew and upgrade 1 container (1 at their next start); 1 file differs, 1 conflict',
    );
    const quick = await image(['upgrade-base', 'a', 'b', '--dry-run', '--no-files']);
    expect(lines(quick.stdout).at(-1)).toMatch(/; 0 files differ, 0 conflicts$/);
    const json = await image(['upgrade-base', 'a', 'b', '--dry-run', '--format', 'json']);
    const kinds = lines(json.stdout).map((line) => Object.keys(JSON.parse(line) as object)[0]);
    expect(kinds).toEqual(['image', 'container', 'changes', 'conflict', 'summary']);
  });

  test('prints what becomes of each, and ends with 1 if something failed', async () => {
    expect(await image(['upgrade-base', 'debian:1', 'debian:2'])).toEqual({
      code: 1,
      stdout:
        'image app:1 aaaaaaaaaaaa -> bbbbbbbbbbbb\n' +
        'container web: on the new base, while it runs\n' +
        'container db: on the new base at its next start\n' +
        'container bad: failed: the disk \\u001b[31m is full\n' +
        'upgrade 0123456789ab: 1 image made anew, 2 containers on the new base, ' +
        '1 at their next start, 1 failed; to undo it: teu image undo-upgrade 0123456789ab\n',
      stderr: '',
    });
    const json = await image(['upgrade-base', 'a', 'b', '--format', 'json']);
    expect(lines(json.stdout)).toHaveLength(steps.length);
    steps = steps.filter(({ part }) => part?.$case === 'summary');
    expect((await image(['upgrade-base', 'a', 'b'])).code).toBe(0);
    steps = [];
    const cut = await image(['upgrade-base', 'a', 'b']);
    expect(cut.code).toBe(125);
    expect(cut.stderr).toContain('teu image upgrades');
  });

  test('is undone by the id, which is completed', async () => {
    const undone = await image(['undo-upgrade', '0123']);
    expect(undone).toMatchObject({ code: 0, stderr: '' });
    expect(undone.stdout).toContain('undo of upgrade 0123456789ab: 4 containers on the old base');
    const unknown = await image(['undo-upgrade', 'ffff']);
    expect(unknown.code).toBe(125);
    expect(unknown.stderr).toContain('teu image upgrades');
    const { context } = fakeContext({ services });
    expect(await candidates(context, ['image', 'undo-upgrade', ''])).toEqual(['0123456789ab']);
    expect(await candidates(context, ['image', ''])).toContain('upgrade-base');
  });

  test('is listed, and told in full by its id', async () => {
    const listed = await image(['upgrades']);
    expect(listed.stdout).toMatch(
      /^0123456789ab +debian:1 +debian:2 .*completed +1 +2 on the new/m,
    );
    expect((await image(['upgrades', '-q'])).stdout).toBe('0123456789ab\n');
    const one = await image(['upgrades', '0123']);
    expect(one.stdout).toContain('container db: on the new base at its next start\n');
    const json = await image(['upgrades', '0123', '--format', 'json']);
    expect(JSON.parse(json.stdout)).toMatchObject({ containers: [{ name: 'web' }, {}, {}] });
  });
});

describe('edit-base', () => {
  const words = ['edit-base', 'debian:1', '--reason', 'a hole'];
  const program = ['--', 'apt-get', '-y'];

  test('shows what changed, asks on a terminal, and does what the answer is', async () => {
    const yes = await image([...words, ...program], 'y\n');
    expect(yes).toMatchObject({ code: 0 });
    expect(yes.stdout).toBe(
      '  content    /etc/issue\n' +
        'edit fedcfedcfedc: 1 file changed in debian:1, for 7 containers\n',
    );
    expect(yes.stderr).toBe('fixing\nChange 1 file in debian:1 itself, for 7 containers? [y/N] ');
    for (const answer of ['\n', 'no\n', '']) {
      const no = await image([...words, ...program], answer);
      expect(no.code).toBe(1);
      expect(no.stderr).toContain('nothing was changed');
    }
    expect(consents).toEqual([true, false, false, false]);
    expect(headers[0]).toMatchObject({
      args: ['apt-get', '-y'],
      reason: 'a hole',
      image: 'debian:1',
    });
  });

  test('without a terminal wants --yes, and a reason in any case', async () => {
    expect((await image([...words, ...program])).stderr).toContain('--yes');
    expect((await image(['edit-base', 'x', '--yes', ...program])).stderr).toContain('--reason');
    expect(headers).toEqual([]);
    expect(await image([...words, '--yes', ...program])).toMatchObject({ code: 0 });
    expect(headers[0]?.hasConsent).toBe(true);
  });

  test('--dry-run only tells', async () => {
    const { code, stdout } = await image([...words, '--dry-run', ...program]);
    expect(code).toBe(0);
    expect(lines(stdout).at(-1)).toBe('would change 1 file for 7 containers');
  });

  test('ends as a program that failed does', async () => {
    editExit = 3;
    const { code, stdout, stderr } = await image([...words, '--yes', ...program]);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toContain('nothing is changed');
  });

  test('is listed, and told by inspect', async () => {
    expect((await image(['edits'])).stdout).toMatch(/^fedcfedcfedc +debian:1 +aufs .*a hole$/m);
    const { stdout, stderr } = await image(['inspect', 'debian:1']);
    expect(JSON.parse(stdout)).toMatchObject([
      { id: 'sha256:aaaa', baseEdits: [{ driver: 'aufs' }] },
    ]);
    expect(stderr).toMatch(/blobs no longer tell/);
  });
});
