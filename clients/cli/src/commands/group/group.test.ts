import { join } from 'node:path';
import { teuError } from '@teu/errors';
import { silentLogger } from '@teu/log';
import {
  Group,
  GroupServiceService,
  type CreateGroupRequest,
  type DeleteGroupRequest,
} from '@teu/proto/cgroup';
import { implement, startRpcServer, type Handlers, type RpcServer } from '@teu/rpc';
import { tempDir, type TempDir } from '@teu/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { runProgram } from '../../program.js';
import { ServiceConnections } from '../../services.js';
import { fakeContext } from '../../testing/fake-context.js';
import { candidates } from '../complete.js';

type Service = Handlers<typeof GroupServiceService>;

const team = Group.fromPartial({
  name: 'team',
  resources: {
    cpu: { quota: 150_000, period: 100_000 },
    memory: { limit: 64 << 20 },
    pids: { limit: 9 },
  },
  containerCount: 2,
  groupCount: 1,
  processCount: 5,
});
const build = Group.fromPartial({ name: 'team/build', frozen: true });

let directory: TempDir;
let server: RpcServer;
let services: ServiceConnections;
let created: CreateGroupRequest[];
let deleted: DeleteGroupRequest[];

beforeEach(async () => {
  directory = tempDir();
  created = [];
  deleted = [];
  const service: Partial<Service> = {
    createGroup: async (request) => {
      created.push(request);
      return { group: Group.fromPartial({ name: request.name }) };
    },
    // A page each.
    listGroups: async ({ parent, pageToken }) => {
      if (parent === 'team' || pageToken !== '') return { groups: [build], nextPageToken: '' };
      return { groups: [team], nextPageToken: 'team' };
    },
    getGroup: async ({ name }) => {
      if (name === 'team') return { group: team };
      throw teuError('GROUP_NOT_FOUND', `there is no group "${name}"`, {
        metadata: { group: name },
      });
    },
    updateGroup: async ({ name }) => ({ group: { ...team, name } }),
    deleteGroup: async (request) => {
      deleted.push(request);
      if (request.recursive) return {};
      const metadata = { group: request.name, container_count: '2', group_count: '1' };
      throw teuError('GROUP_BUSY', `group "${request.name}" holds 2 containers`, { metadata });
    },
    freezeGroup: async () => ({}),
    killGroup: async () => ({ killedCount: 5 }),
  };
  server = await startRpcServer({
    name: 'cgroup',
    version: '1',
    address: `unix:${join(directory.path, 'cgroup.sock')}`,
    services: [implement(GroupServiceService, service as Service)],
    log: silentLogger,
  });
  services = new ServiceConnections(directory.path);
});
afterEach(async () => {
  services.close();
  await server.close();
  directory.remove();
});

async function group(...words: string[]) {
  const fake = fakeContext({ args: ['group', ...words], services });
  const code = await runProgram(fake.context);
  return { code, stdout: fake.stdout(), stderr: fake.stderr() };
}

test('a group is made with the limits that containers can have', async () => {
  const limits = ['--memory', '1g', '--cpus', '1.5', '--pids-limit', '7', '--label', 'who=me'];
  expect(await group('create', ...limits, 'team')).toMatchObject({ code: 0, stdout: 'team\n' });
  expect(created[0]).toMatchObject({
    name: 'team',
    resources: { cpu: { quota: 150_000 }, memory: { limit: 1 << 30 }, pids: { limit: 7 } },
    labels: { who: 'me' },
  });
  expect(await group('create', '--memory-swap', '1g', 'team')).toMatchObject({ code: 125 });
  expect(await group('create')).toMatchObject({ code: 1 });
  const json = await group('create', '--format', 'json', 'other');
  expect(JSON.parse(json.stdout)).toMatchObject({ name: 'other' });
});

test('groups are listed with their limits and what is in them', async () => {
  const rows = (await group('ls')).stdout.split('\n').map((line) => line.split(/ {2,}/));
  expect(rows[1]).toEqual(['team', 'open', '2', '1', '5', '1.5', '64 MiB', '9']);
  expect(rows[2]).toEqual(['team/build', 'frozen', '0', '0', '0', '-', '-', '-']);
  expect((await group('ls', '-q')).stdout).toBe('team\nteam/build\n');
  expect((await group('ls', '-q', 'team')).stdout).toBe('team/build\n');
  expect(JSON.parse((await group('ls', '--format', 'json')).stdout)).toHaveLength(2);
});

test('one that is missing or busy is told with what helps', async () => {
  const inspected = await group('inspect', 'team', 'gone');
  expect(inspected.code).toBe(1);
  expect(JSON.parse(inspected.stdout)).toMatchObject([{ name: 'team', processCount: 5 }]);
  expect(inspected.stderr).toContain('there is no group "gone"');
  expect(inspected.stderr).toContain('teu group create gone');
  const busy = await group('rm', 'team');
  expect(busy).toMatchObject({ code: 1, stdout: '' });
  expect(busy.stderr).toContain('teu ps -a --filter group=team');
  expect(await group('rm', '-r', 'team')).toMatchObject({ code: 0, stdout: 'team\n' });
  expect(deleted.at(-1)).toEqual({ name: 'team', recursive: true });
});

test('several are changed, frozen and killed, each told on a line', async () => {
  expect((await group('update', '--cpus', '2', 'a', 'b')).stdout).toBe('a\nb\n');
  expect((await group('freeze', 'a', 'b')).stdout).toBe('a\nb\n');
  expect((await group('kill', '--format', 'json', 'a')).stdout).toBe(
    '{"name":"a","killedCount":5}\n',
  );
});

test('names are completed, also those of --group', async () => {
  const { context } = fakeContext({ services });
  const names = ['team', 'team/build'];
  expect(await candidates(context, ['group', 'rm', ''])).toEqual(names);
  expect(await candidates(context, ['run', '--group', ''])).toEqual(names);
  expect(await candidates(context, ['create', '--cgroup-parent', ''])).toEqual(names);
});
