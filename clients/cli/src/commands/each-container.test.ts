import { join } from 'node:path';
import { teuError } from '@teu/errors';
import { silentLogger } from '@teu/log';
import { EngineServiceService } from '@teu/proto/engine';
import { implement, startRpcServer, type Handlers, type RpcServer } from '@teu/rpc';
import { tempDir, type TempDir } from '@teu/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { runProgram } from '../program.js';
import { ServiceConnections } from '../services.js';
import { fakeContext } from '../testing/fake-context.js';

// Commands that do one thing to each container that they are given.
let directory: TempDir;
let server: RpcServer;
let services: ServiceConnections;
let asked: string[];

/** Does the same for all but "gone". */
const takes = (what: string) => (request: { container: string }) => {
  asked.push(`${what} ${request.container}`);
  if (request.container === 'gone') throw teuError('CONTAINER_NOT_FOUND', 'no such container');
  return Promise.resolve({ container: undefined, exit: undefined });
};

beforeAll(async () => {
  directory = tempDir();
  const engine = {
    pauseContainer: takes('pause'),
    unpauseContainer: takes('unpause'),
    killContainer: takes('kill'),
    stopContainer: takes('stop'),
    removeContainer: takes('rm'),
    updateContainer: takes('update'),
    waitContainer: takes('wait'),
  } as unknown as Handlers<typeof EngineServiceService>;
  server = await startRpcServer({
    ...{ name: 'engine', version: '0', log: silentLogger },
    services: [implement(EngineServiceService, engine)],
    address: `unix:${join(directory.path, 'engine.sock')}`,
  });
  services = new ServiceConnections(directory.path);
});
afterAll(async () => {
  services.close();
  await server.close(0);
  directory.remove();
});
beforeEach(() => {
  asked = [];
});

async function teu(...args: string[]) {
  const fake = fakeContext({ args, services });
  const code = await runProgram(fake.context);
  return { code, stdout: fake.stdout(), stderr: fake.stderr() };
}

test.each([['pause'], ['unpause'], ['kill'], ['stop'], ['rm'], ['update', '--pids-limit', '5']])(
  '%s takes several, goes on after one that fails, and speaks JSON',
  async (name, ...options) => {
    const plain = await teu(name, ...options, 'a', 'gone', 'b');
    expect(plain).toMatchObject({ code: 1, stdout: 'a\nb\n' });
    expect(plain.stderr).toContain('no such container');
    expect(asked).toEqual([`${name} a`, `${name} gone`, `${name} b`]);
    const json = await teu(name, ...options, '--format', 'json', 'a', 'gone', 'b');
    expect(json).toMatchObject({ code: 1, stdout: '{"container":"a"}\n{"container":"b"}\n' });
  },
);

test('wait tells the exit code of each', async () => {
  expect(await teu('wait', '--format', 'json', 'a', 'b')).toMatchObject({
    code: 0,
    stdout: '{"container":"a","exitCode":255}\n{"container":"b","exitCode":255}\n',
  });
});
