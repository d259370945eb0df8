import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import {
  existsSync,
  mkdirSync,
  readFileSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { silentLogger } from '@teu/log';
import { tempDir, waitFor, type TempDir } from '@teu/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { natsPort } from './free-port.js';
import { stopLeftovers } from './leftovers.js';
import { logPath, openLog } from './log-file.js';
import { ManagedProcess } from './managed-process.js';
import { identityOf, isAlive, signalProcess } from './process-identity.js';
import { cleanRunDirectory } from './run-directory.js';
import { stopProcess } from './stop-process.js';
import { lockRunDirectory } from './up-lock.js';
import { readUpRecord, writeUpRecord, type UpRecord } from './up-record.js';

let directory: TempDir;
beforeEach(() => {
  directory = tempDir();
});
afterEach(() => {
  directory.remove();
});

async function sleeper() {
  const child = spawn('sleep', ['1000'], { stdio: 'ignore' });
  await once(child, 'spawn');
  const identity = identityOf(child.pid ?? 0);
  if (identity === undefined) throw new Error('sleep did not start');
  return { child, identity, ended: once(child, 'exit') };
}

test('a process is told from a later one with its number', async () => {
  const { child, identity, ended } = await sleeper();
  expect(isAlive(identity)).toBe(true);
  expect(isAlive({ ...identity, startTime: identity.startTime - 1 })).toBe(false);
  expect(isAlive({ ...identity, bootId: 'another' })).toBe(false);
  expect(signalProcess({ ...identity, startTime: 1 }, 'SIGKILL')).toBe(false);
  child.kill('SIGKILL');
  await ended;
  expect(isAlive(identity)).toBe(false);
  expect(identityOf(2 ** 22 + 1)).toBeUndefined();
});

test('a process that ignores the request to end is killed', async () => {
  const child = spawn('sh', ['-c', 'trap "" TERM; echo ready; while :; do sleep 1; done'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  await once(child.stdout, 'data');
  const ended = once(child, 'exit');
  const identity = identityOf(child.pid ?? 0);
  expect(identity).toBeDefined();
  if (identity !== undefined) await stopProcess(identity, 100);
  expect(await ended).toEqual([null, 'SIGKILL']);
});

test('one process at a time holds a run directory', () => {
  const unlock = lockRunDirectory(directory.path);
  expect(unlock).toBeDefined();
  expect(lockRunDirectory(directory.path)).toBeUndefined();
  unlock?.();
  const again = lockRunDirectory(directory.path);
  expect(again).toBeDefined();
  again?.();
});

test('the record is read back, and half of one is none', () => {
  const record = recordOf([]);
  writeUpRecord(record);
  expect(readUpRecord(directory.path)).toEqual(record);
  expect(statSync(join(directory.path, 'up.json')).mode & 0o777).toBe(0o600);
  truncateSync(join(directory.path, 'up.json'), 10);
  expect(readUpRecord(directory.path)).toBeUndefined();
});

function recordOf(services: UpRecord['services']): UpRecord {
  const own = identityOf(process.pid);
  if (own === undefined) throw new Error('no /proc');
  return {
    resident: own,
    runDir: directory.path,
    dataDir: directory.path,
    storageDrivers: ['overlay2'],
    services,
  };
}

test('services that were left behind are stopped, others with their number are not', async () => {
  const left = await sleeper();
  const other = await sleeper();
  const service = { address: '', log: '', state: 'serving' as const, restarts: 0, version: '' };
  await stopLeftovers(
    recordOf([
      { ...service, name: 'executor', process: left.identity },
      { ...service, name: 'engine', process: { ...other.identity, startTime: 1 } },
      { ...service, name: 'image' },
    ]),
  );
  expect(await left.ended).toEqual([null, 'SIGTERM']);
  expect(isAlive(other.identity)).toBe(true);
  other.child.kill('SIGKILL');
  await other.ended;
});

test('the port of NATS is kept until somebody else takes it', async () => {
  const port = await natsPort(directory.path);
  expect(await natsPort(directory.path)).toBe(port);
  const squatter = createServer();
  squatter.listen(port, '127.0.0.1');
  await once(squatter, 'listening');
  const next = await natsPort(directory.path);
  expect(next).not.toBe(port);
  squatter.close();
  expect(await natsPort(directory.path)).toBe(next);
});

test('a log that has grown too big is put aside', () => {
  mkdirSync(join(directory.path, 'log'));
  const path = logPath(directory.path, 'engine');
  writeFileSync(path, 'old');
  truncateSync(path, 11 * 1024 * 1024);
  openLog(directory.path, 'engine');
  expect(statSync(path).size).toBe(0);
  expect(statSync(`${path}.1`).size).toBe(11 * 1024 * 1024);
});

test('a run directory is left with its lock alone', () => {
  for (const name of ['engine.sock', 'cli.sock', 'up.json', 'up.lock']) {
    writeFileSync(join(directory.path, name), '');
  }
  mkdirSync(join(directory.path, 'nats'));
  for (const name of ['c', 'd']) mkdirSync(join(directory.path, name));
  cleanRunDirectory(directory.path);
  expect(existsSync(join(directory.path, 'up.lock'))).toBe(true);
  for (const name of ['engine.sock', 'cli.sock', 'up.json', 'nats', 'c', 'd']) {
    expect(existsSync(join(directory.path, name)), name).toBe(false);
  }
});

/** A program that notes each start in a file and then waits. */
function managed(script: string, isReady?: () => boolean, startTimeoutMs = 15_000) {
  const counter = join(directory.path, 'starts');
  const starts = (): number => (existsSync(counter) ? readFileSync(counter, 'utf8').length : 0);
  return {
    starts,
    process: new ManagedProcess(
      {
        name: 'probe',
        program: '/bin/sh',
        args: ['-c', `printf x >> ${counter}; ${script}`],
        env: { PATH: '/usr/bin:/bin' },
        address: '',
        version: '1',
        dataDir: directory.path,
        startTimeoutMs,
        // The file is there a moment before the start is noted in it.
        probe: () => Promise.resolve(isReady?.() ?? starts() > 0),
      },
      { changed: () => undefined },
      silentLogger,
    ),
  };
}

test('a service that dies is started again, and stays down when it is stopped', async () => {
  const { process: service, starts } = managed('exec sleep 1000');
  expect(await service.start()).toBe(true);
  const first = service.record();
  expect(first).toMatchObject({ name: 'probe', state: 'serving', restarts: 0 });
  service.signal('SIGKILL');
  await waitFor(() => starts() === 2 && service.record().state === 'serving', { timeoutMs: 5000 });
  expect(service.record().restarts).toBe(1);
  const { process: identity } = service.record();
  expect(identity?.pid).not.toBe(first.process?.pid);
  await service.stop(2000);
  expect(identity !== undefined && isAlive(identity)).toBe(false);
  expect(starts()).toBe(2);
});

test('a service that ends at once did not start', async () => {
  const { process: service } = managed('exit 3', () => false);
  expect(await service.start()).toBe(false);
  await service.stop(100);
});

test('a service that hangs is given up when its time is over', async () => {
  const { process: service } = managed('exec sleep 1000', () => false, 100);
  expect(await service.start()).toBe(false);
  await service.stop(2000);
});
