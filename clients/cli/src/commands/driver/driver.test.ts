import { join } from 'node:path';
import { teuError } from '@teu/errors';
import { silentLogger } from '@teu/log';
import {
  DriverRegistryServiceService,
  DriverState,
  RegisteredDriver,
  type AddDriverRequest,
} from '@teu/proto/engine';
import {
  Capability,
  CheckSummary,
  FindingKind,
  GetDiskUsageResponse,
  RepairAction,
} from '@teu/proto/storage';
import { implement, startRpcServer, type Handlers, type RpcServer } from '@teu/rpc';
import { tempDir, type TempDir } from '@teu/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runProgram } from '../../program.js';
import { ServiceConnections } from '../../services.js';
import { candidates } from '../complete.js';
import { fakeContext } from '../../testing/fake-context.js';

type Registry = Handlers<typeof DriverRegistryServiceService>;

const overlay2 = RegisteredDriver.fromPartial({
  address: { name: 'overlay2', address: 'unix:/run/teu/overlay2.sock' },
  isDefault: true,
  state: DriverState.DRIVER_STATE_AVAILABLE,
  driver: {
    name: 'overlay2',
    capabilities: [Capability.CAPABILITY_SHARED_DISK, Capability.CAPABILITY_REBASE],
    backingFilesystem: 'ext4',
    implementation: 'kernel overlay',
  },
  containerCount: 3,
});
const foreign = RegisteredDriver.fromPartial({
  address: { name: 'native', address: 'unix:/run/c.sock' },
  state: DriverState.DRIVER_STATE_AVAILABLE,
});
const dead = RegisteredDriver.fromPartial({
  address: { name: 'slow', address: 'unix:/run/s.sock' },
  state: DriverState.DRIVER_STATE_UNAVAILABLE,
  stateDetail: 'nobody listens \u001b[31m',
});
const usage = GetDiskUsageResponse.create({
  totalBytes: 4_000_123,
  committedBytes: 4_000_000,
  metadataBytes: 123,
  snapshotCount: 2,
});
const finding = {
  kind: FindingKind.FINDING_KIND_MISSING_FILE,
  key: 'sha256:ab',
  path: 'etc/passwd',
  detail: 'it had 5 bytes',
};
const summary = CheckSummary.create({
  ...{ snapshotCount: 2, fileCount: 1, readBytes: 5000 },
  ...{ findingCount: 1, unjudgedCount: 1 },
});

let directory: TempDir;
let server: RpcServer;
let services: ServiceConnections;
let added: AddDriverRequest[];
let isClean: boolean;

beforeEach(async () => {
  directory = tempDir();
  added = [];
  isClean = false;
  const registry: Partial<Registry> = {
    listDrivers: async () => ({ drivers: [overlay2, foreign, dead] }),
    addDriver: async (request) => {
      added.push(request);
      return { driver: undefined };
    },
    setDefaultDriver: async () => ({}),
    getDriverUsage: async ({ name }) => {
      if (name === 'overlay2') return { usage };
      throw teuError('DRIVER_UNAVAILABLE', `the storage driver ${name} does not answer`);
    },
    checkDriver: async function* () {
      if (!isClean) yield { check: { part: { $case: 'finding', value: finding } } };
      const count = isClean ? 0 : 1;
      const value = { ...summary, findingCount: count, remainingCount: count, unjudgedCount: 0 };
      yield { check: { part: { $case: 'summary', value } } };
    },
    repairDriver: async function* () {
      const repair = { finding, action: RepairAction.REPAIR_ACTION_QUARANTINED, detail: 'gone' };
      yield { repair: { part: { $case: 'repair', value: repair } } };
      yield { repair: { part: { $case: 'summary', value: { ...summary, remainingCount: 1 } } } };
    },
    removeDriver: async ({ name }) => {
      if (name === 'slow') return { removedLayerCount: 1 };
      throw teuError('DRIVER_NOT_FOUND', `there is no storage driver "${name}"`);
    },
  };
  server = await startRpcServer({
    name: 'engine',
    version: '1',
    address: `unix:${join(directory.path, 'engine.sock')}`,
    services: [implement(DriverRegistryServiceService, registry as Registry)],
    log: silentLogger,
  });
  services = new ServiceConnections(directory.path);
});
afterEach(async () => {
  services.close();
  await server.close();
  directory.remove();
});

async function driver(...words: string[]) {
  const fake = fakeContext({ args: ['driver', ...words], services });
  const code = await runProgram(fake.context);
  return { code, stdout: fake.stdout(), stderr: fake.stderr() };
}

test('drivers are listed with what they are, and why one does not answer', async () => {
  const { code, stdout } = await driver('ls');
  expect(code).toBe(0);
  const [head, first, second, third, ...rest] = stdout
    .split('\n')
    .map((line) => line.split(/ {2,}/));
  expect(head?.slice(0, 5)).toEqual(['NAME', 'KIND', 'STATE', 'DEFAULT', 'FILE SYSTEM']);
  expect(first).toEqual([
    ...['overlay2', 'overlay2', 'available', 'yes', 'ext4', 'kernel overlay'],
    ...['shared-disk,rebase', '3', 'unix:/run/teu/overlay2.sock'],
  ]);
  expect(second?.slice(0, 3)).toEqual(['native', 'foreign', 'available']);
  expect(third?.slice(0, 3)).toEqual(['slow', '-', 'unavailable']);
  expect(rest).toEqual([[''], ['slow: nobody listens \\u001b[31m'], ['']]);
  expect((await driver('ls', '-q')).stdout).toBe('overlay2\nnative\nslow\n');
  const json = JSON.parse((await driver('ls', '--format', 'json')).stdout) as unknown[];
  expect(json[2]).toMatchObject({ state: 'DRIVER_STATE_UNAVAILABLE' });
});

test('an address may be a path; what is none is refused before the engine is asked', async () => {
  // Somebody listens there, so nothing is waited for.
  const path = join(directory.path, 'engine.sock');
  expect(await driver('add', 'slow', path, '--snapshotter', 'x', '--default')).toEqual({
    ...{ code: 0, stdout: 'slow\n', stderr: '' },
  });
  await driver('add', 'slow', `unix:${path}`);
  await driver('add', 'slow', `unix://${path}`, '--namespace', 'teu');
  const address = { name: 'slow', address: `unix:${path}`, snapshotter: '', namespace: '' };
  expect(added.map((request) => request.address)).toEqual([
    { ...address, snapshotter: 'x' },
    address,
    { ...address, namespace: 'teu' },
  ]);
  for (const wrong of ['run/s.sock', 'unix:s.sock', 'tcp://x:1', `/${'x'.repeat(107)}`]) {
    const { code, stderr } = await driver('add', 'slow', wrong);
    expect(code, wrong).toBe(125);
    expect(stderr, wrong).toMatch(/socket/);
  }
  expect((await driver('add', 'vfs', path)).stderr).toContain('for example my-vfs');
  expect(added).toHaveLength(3);
});

test('disk use is shown of all that tell it, exact in JSON', async () => {
  const all = await driver('df');
  expect(all.code).toBe(1);
  expect(all.stderr).toContain('the storage driver slow does not answer');
  expect(all.stdout).toMatch(/^overlay2 +4MB +0B +0B +123B +4MB +0B +2$/m);
  expect(all.stdout).toMatch(/^native +- /m);
  const one = await driver('df', 'overlay2', '--format', 'json');
  expect(one.code).toBe(0);
  expect(JSON.parse(one.stdout)).toEqual([{ name: 'overlay2', ...usage }]);
  expect((await driver('df', 'slow')).code).toBe(1);
});

test('a check prints what it finds and ends with 1, or 0 if all is well', async () => {
  expect(await driver('check', 'overlay2')).toEqual({
    code: 1,
    stdout:
      'missing file: sha256:ab etc/passwd (it had 5 bytes)\n' +
      'looked at 2 snapshots, 1 file, 5kB of data: 1 finding\n',
    stderr: '',
  });
  const json = (await driver('check', 'overlay2', '--format', 'json')).stdout.trim().split('\n');
  expect(json.map((line) => Object.keys(JSON.parse(line) as object))).toEqual([
    ['finding'],
    ['summary'],
  ]);
  isClean = true;
  expect(await driver('check', 'overlay2')).toMatchObject({
    code: 0,
    stdout: 'looked at 2 snapshots, 1 file, 5kB of data: nothing is wrong\n',
  });
  expect((await driver('check')).code).toBe(125);
});

test('a repair says what became of each finding', async () => {
  expect(await driver('repair', 'overlay2')).toEqual({
    code: 1,
    stdout:
      'quarantined missing file: sha256:ab etc/passwd (it had 5 bytes): gone\n' +
      'looked at 2 snapshots, 1 file, 5kB of data: 1 finding, 1 of them remains; 1 snapshot could not be judged\n',
    stderr: '',
  });
});

test('a driver that is not there does not keep others from being removed', async () => {
  const { code, stdout, stderr } = await driver('rm', 'nosuch', 'slow');
  expect({ code, stdout }).toEqual({ code: 1, stdout: 'slow\n' });
  expect(stderr).toContain('teu driver ls');
});

test('a kind of driver that is not there is refused with the nearest one', async () => {
  const { code, stderr } = await driver('serve', 'overlay');
  expect(code).toBe(125);
  expect(stderr).toContain('did you mean overlay2?');
});

test('names of drivers are completed, also as the value of an option', async () => {
  const { context } = fakeContext({ services });
  const names = ['overlay2', 'native', 'slow'];
  expect(await candidates(context, ['driver', 'rm', ''])).toEqual(names);
  expect(await candidates(context, ['driver', 'rm', 'slow', ''])).toEqual(names);
  expect(await candidates(context, ['run', '--storage-driver', ''])).toEqual(names);
});
