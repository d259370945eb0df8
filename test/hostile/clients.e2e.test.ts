import { connect as connectSocket } from 'node:net';
import { join } from 'node:path';
import { installRoot } from '@teu/config';
import { CreateContainerRequest, RunContainerRequest } from '@teu/proto/engine';
import { patient, tempDir, type TempDir } from '@teu/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { output, startEngine, type Engine } from '../e2e/engine.js';
import { makeCanary, type Canary } from './canary.js';
import { hostileCalls, type HostileCall } from './hostile-calls.js';
import { loadAccepted } from './hostile-image.js';

// Clients are hostile: every text, number and enum of every call of every service with what it must
// not be, and sockets with what is no protocol at all. Nothing fails inside, nothing gets out.
let engine: Engine;
let directory: TempDir;
let canary: Canary;
beforeAll(async () => {
  engine = await startEngine([]);
  await loadAccepted(engine, 'base');
  directory = tempDir();
  canary = makeCanary(directory.path);
});
afterAll(async () => {
  await engine.stop();
  directory.remove();
});

const PARALLEL = 16;
const asIs = (bytes: Buffer) => bytes;

async function* once(request: Buffer) {
  yield request;
}

/** A stream that goes on for this long has taken what it was told. */
const ACCEPTED_MS = 500;
/** Enough for any answer: what is no message is refused, never waited for. */
const ANSWER_MS = patient(30_000);

/** Status of a call; OK for a stream that says something or, unless it was told no message at all, goes on. */
async function statusOf({ socket, path, stream, kind, request }: HostileCall): Promise<string> {
  const channel = engine.channel(socket);
  const bytes = {
    requestSerialize: asIs,
    requestDeserialize: asIs,
    responseSerialize: asIs,
    responseDeserialize: asIs,
  };
  const isGarbage = kind === 'garbage';
  try {
    if (stream) {
      const timeoutMs = isGarbage ? ANSWER_MS : ACCEPTED_MS;
      const method = { path, requestStream: true, responseStream: true, ...bytes } as const;
      const responses = channel.bidi(method, once(request), { timeoutMs });
      await responses.next();
      // Some streams speak before they listen.
      if (isGarbage) await responses.next();
      await responses.return?.();
    } else {
      const method = { path, requestStream: false, responseStream: false, ...bytes } as const;
      await channel.unary(method, request, { timeoutMs: ANSWER_MS });
    }
    return 'OK';
  } catch (error) {
    const { status } = error as { status: string };
    return stream && !isGarbage && status === 'DEADLINE_EXCEEDED' ? 'OK' : status;
  }
}

async function statusesOf(calls: readonly HostileCall[]): Promise<[HostileCall, string][]> {
  const results: [HostileCall, string][] = [];
  const next = calls.values();
  const worker = async () => {
    for (const call of next) results.push([call, await statusOf(call)]);
  };
  await Promise.all(Array.from({ length: PARALLEL }, worker));
  return results;
}

test(
  'no field of any call leads anywhere',
  async () => {
    const before = canary.look();
    const pids = await engine.pids();
    const spec = { image: 'base', args: ['true'] };
    const calls = hostileCalls(
      join(installRoot(), 'libs/proto/src/gen/descriptors.binpb'),
      canary.path,
      {
        'teu.engine.v1.CreateContainerRequest': Buffer.from(
          CreateContainerRequest.encode(CreateContainerRequest.create({ spec })).finish(),
        ),
        'teu.engine.v1.RunContainerRequest': Buffer.from(
          RunContainerRequest.encode(RunContainerRequest.create({ spec })).finish(),
        ),
      },
    );
    expect(calls.length).toBeGreaterThan(1500);
    const results = await statusesOf(calls);
    const broken = ['INTERNAL', 'UNKNOWN', 'UNAVAILABLE', 'DEADLINE_EXCEEDED', 'DATA_LOSS'];
    const wrong = results.filter(
      ([{ kind }, status]) =>
        broken.includes(status) || ((kind === 'enum' || kind === 'garbage') && status === 'OK'),
    );
    expect(wrong.map(([{ path, what }, status]) => `${path} ${what}: ${status}`)).toEqual([]);
    expect(canary.look()).toEqual(before);
    expect(await engine.pids()).toEqual(pids);
  },
  patient(120_000),
);

/** Sends bytes to a socket; resolves when the other side hung up, or has had time to answer. */
async function send(path: string, bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve) => {
    const socket = connectSocket(path, () => socket.write(bytes));
    const done = () => {
      socket.destroy();
      resolve();
    };
    socket.on('error', done).on('close', done).on('data', done);
    socket.setTimeout(50, done);
  });
}

const u32 = (value: number) => {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value >>> 0);
  return bytes;
};
const preface = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
const settings = Buffer.from('000000040000000000', 'hex');
const ping = Buffer.concat([Buffer.from('000008060000000000', 'hex'), Buffer.alloc(8)]);
const many = (frame: Buffer) => Buffer.concat(Array.from({ length: 5000 }, () => frame));

const noise: Buffer[] = [
  Buffer.alloc(0),
  Buffer.alloc(1000),
  Buffer.alloc(300_000, 0xff),
  Buffer.from('GET / HTTP/1.1\r\n\r\n'),
  preface,
  Buffer.concat([preface, Buffer.from('ffffff000000000001', 'hex')]),
  Buffer.concat([preface, many(settings)]),
  Buffer.concat([preface, settings, many(ping)]),
  // Frames of the resident command: too long, too short, cut off, counting more than there is.
  Buffer.concat([u32(0xffffffff), Buffer.from([1])]),
  ...[1, 2, 3, 4, 5, 99].map((type) => Buffer.concat([u32(0), Buffer.from([type])])),
  Buffer.concat([u32(20), Buffer.from([1, 1, 0, 0, 0, 0, 0, 0, 0]), u32(0), u32(-1), u32(0)]),
];

/** Frames of a supervisor: every type with too little, too much and too large. */
const supervisorNoise: Buffer[] = [0, 1, 3, 4, 5, 6, 7, 8, 9, 10, 65_535].flatMap((type) =>
  [0, 1, 8, 16, 16_384, 16_385, 0xffffffff].map((length) => {
    const header = Buffer.alloc(8);
    header.writeUInt32LE(length, 0);
    header.writeUInt16LE(type, 4);
    header.writeUInt16LE(1, 6);
    return Buffer.concat([header, Buffer.alloc(Math.min(length, 16_384), 0xee)]);
  }),
);

test('noise at the sockets ends no service and no container', async () => {
  const id = await output(engine, 'run', '-d', 'base', 'sleep', '1000');
  const pids = await engine.pids();
  const services = ['engine', 'image', 'executor', 'cgroup', 'overlay2', 'cli'];
  await Promise.all(
    services.map(async (name) => {
      for (const bytes of noise) await send(join(engine.runDir, `${name}.sock`), bytes);
    }),
  );
  for (const bytes of [...noise, ...supervisorNoise]) {
    await send(join(engine.runDir, 'c', `${id.slice(0, 32)}.sock`), bytes);
  }
  expect(await engine.pids()).toEqual(pids);
  expect(await output(engine, 'exec', id, 'echo', 'here')).toBe('here');
  await output(engine, 'rm', '-f', id);
});

test('a stray signal opens no debugger', async () => {
  const pids = await engine.pids();
  const { nats, ...ours } = pids;
  for (const pid of Object.values(ours)) process.kill(pid, 'SIGUSR1');
  expect(await output(engine, 'run', '--rm', 'base', 'echo', 'here')).toBe('here');
  // The inspector's thread is what the signal would have started.
  expect(engine.logs()).not.toContain('Debugger listening');
  expect({ nats, ...(await engine.pids()) }).toEqual(pids);
});
