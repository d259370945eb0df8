import { afterEach, beforeEach, expect, test } from 'vitest';
import {
  BaseServiceService,
  EditBaseHeader,
  type EditBaseRequest,
  type EditBaseResponse,
} from '@teu/proto/engine';
import { ChangeKind } from '@teu/proto/image';
import { Capability } from '@teu/proto/storage';
import { waitFor } from '@teu/testing';
import { FakeHost } from './testing/index.js';

let host: FakeHost;
beforeEach(async () => {
  host = await FakeHost.start();
  host.driver.capabilities = [Capability.CAPABILITY_MERGE_INTO_PARENT];
  await host.image.put('base', 'b1');
  await host.image.put('app', ['b1', 'app']);
  host.image.onCompare = () =>
    Array.from({ length: 150 }, (_, i) => ({
      kind: ChangeKind.CHANGE_KIND_CONTENT,
      path: `/etc/${String(i).padStart(3, '0')}`,
    }));
});
afterEach(() => host.close());

const HEADER = { image: 'base', reason: 'CVE-2026-1', args: ['true'] };

async function expectNothingDone(): Promise<void> {
  await host.settled();
  expect(host.driver.merged).toEqual([]);
  expect(await host.client.edits()).toEqual([]);
  expect(host.holdings()).toEqual({ snapshots: [], cgroups: [], processes: [] });
}

test('what a program changes is told, and after the consent merged and put on record', async () => {
  await host.client.create(['sleep'], { image: 'app', name: 'made' });
  const parts = await host.client.editBase(HEADER, true);
  const kinds = parts.map(({ $case }) => $case).filter((kind) => kind !== 'record');
  expect(kinds).toEqual(['containerId', 'exit', 'changes', 'proposal', 'edit']);
  expect(parts.at(-2)?.value).toEqual({ changeCount: 150, containerCount: 1 });
  const [edit, ...others] = await host.client.edits('base');
  expect(others).toEqual([]);
  expect(edit).toMatchObject({
    ...{ imageId: 'sha256:b1', reference: 'base', driver: 'overlay2', chainId: 'b1' },
    ...{ reason: 'CVE-2026-1', args: ['true'], changeCount: 150, containerCount: 1 },
    ...{ userId: process.getuid?.(), processId: process.pid },
  });
  expect(edit?.paths).toHaveLength(100);
  expect(host.driver.merged).toMatchObject([{ expectedParent: 'b1' }]);
  const facts = (await host.client.events()).flatMap(({ event }) =>
    event?.payload?.$case === 'base' ? [event.payload.value] : [],
  );
  expect(facts).toMatchObject([
    { upgradeId: edit?.id, comment: 'CVE-2026-1', containerCount: 1, oldImageId: 'sha256:b1' },
  ]);
  expect(facts[0]?.paths).toHaveLength(100);
  await host.client.remove('made');
  await host.settled();
  expect(host.holdings()).toEqual({ snapshots: [], cgroups: [], processes: [] });
});

test.each([
  ['no consent', {}, undefined],
  ['a refusal', {}, false],
  ['a dry run', { dryRun: true, hasConsent: true }, true],
])('%s changes nothing', async (_what, more, consent) => {
  const parts = await host.client.editBase({ ...HEADER, ...more }, consent);
  expect(parts.at(-1)?.$case).toBe('proposal');
  await expectNothingDone();
});

test('a program that fails changes nothing', async () => {
  const parts = await host.client.editBase({ ...HEADER, args: ['exit', '3'], hasConsent: true });
  expect(parts.at(-1)).toMatchObject({ $case: 'exit', value: { exitCode: 3 } });
  await expectNothingDone();
});

test('a program that changes nothing leaves no record', async () => {
  host.image.onCompare = () => [];
  const parts = await host.client.editBase({ ...HEADER, hasConsent: true });
  expect(parts.at(-1)).toMatchObject({ $case: 'proposal', value: { changeCount: 0 } });
  await expectNothingDone();
});

test('a driver that cannot is named before anything runs', async () => {
  host.driver.capabilities = [];
  const refused = host.client.editBase({ ...HEADER, hasConsent: true });
  await expect(refused).rejects.toMatchObject({ reason: 'FEATURE_UNSUPPORTED' });
  await expect(host.client.editBase(HEADER)).rejects.toThrow('overlay2');
  expect(host.driver.prepares).toBe(0);
});

test.each([{ reason: '' }, { reason: 'x'.repeat(1001) }, { reason: 'a\nb' }, { args: [] }])(
  'an edit with %j is refused',
  async (wrong) => {
    const reason = 'INVALID_ARGUMENT';
    await expect(host.client.editBase({ ...HEADER, ...wrong })).rejects.toMatchObject({ reason });
  },
);

test('a client that leaves before its consent takes the container along', async () => {
  const leaving = new AbortController();
  const value = EditBaseHeader.create(HEADER);
  const requests = async function* (): AsyncGenerator<EditBaseRequest> {
    yield { part: { $case: 'header', value } };
    await new Promise((resolve) => leaving.signal.addEventListener('abort', resolve));
  };
  const { signal } = leaving;
  const stream = host.client.channel.bidi(BaseServiceService.editBase, requests(), { signal });
  const answers = stream[Symbol.asyncIterator]();
  let kind: string | undefined;
  while (kind !== 'proposal') {
    kind = ((await answers.next()) as { value?: EditBaseResponse }).value?.part?.$case;
  }
  const reason = 'CONFLICT';
  await expect(host.client.upgradeBase('base', 'app')).rejects.toMatchObject({ reason });
  leaving.abort();
  await waitFor(async () => (await host.client.list({ all: true })).containers.length === 0);
  await expectNothingDone();
});
