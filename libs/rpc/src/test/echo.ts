import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { silentLogger, type Logger } from '@teu/log';
import {
  connect,
  implement,
  startRpcServer,
  type Handlers,
  type RpcChannel,
  type RpcServer,
  type RpcServerOptions,
} from '../index.js';

/** A message of the test service. */
export interface Note {
  text: string;
}

const codec = {
  requestSerialize: (note: Note): Buffer => Buffer.from(JSON.stringify(note)),
  requestDeserialize: (bytes: Buffer): Note => JSON.parse(bytes.toString()) as Note,
  responseSerialize: (note: Note): Buffer => Buffer.from(JSON.stringify(note)),
  responseDeserialize: (bytes: Buffer): Note => JSON.parse(bytes.toString()) as Note,
};

/** One method of each kind, in the shape that ts-proto generates; JSON on the wire. */
export const EchoService = {
  one: {
    path: '/teu.test.v1.EchoService/One',
    requestStream: false,
    responseStream: false,
    ...codec,
  },
  out: {
    path: '/teu.test.v1.EchoService/Out',
    requestStream: false,
    responseStream: true,
    ...codec,
  },
  in: { path: '/teu.test.v1.EchoService/In', requestStream: true, responseStream: false, ...codec },
  both: {
    path: '/teu.test.v1.EchoService/Both',
    requestStream: true,
    responseStream: true,
    ...codec,
  },
} as const;

export type EchoHandlers = Handlers<typeof EchoService>;

/** Handlers that give back what they get. */
export const echoHandlers: EchoHandlers = {
  one: async (note) => note,
  async *out(note) {
    yield note;
  },
  in: async (notes) => {
    const texts: string[] = [];
    for await (const note of notes) texts.push(note.text);
    return { text: texts.join(' ') };
  },
  async *both(notes) {
    for await (const note of notes) yield note;
  },
};

export interface EchoServer extends AsyncDisposable {
  address: string;
  directory: string;
  server: RpcServer;
  channel: RpcChannel;
}

/** Serves the test service on a unix socket of its own and connects to it. */
export async function startEcho(
  handlers: Partial<EchoHandlers> = {},
  options: Partial<RpcServerOptions> & { log?: Logger; longRunning?: ['one'] } = {},
): Promise<EchoServer> {
  const directory = mkdtempSync(join(tmpdir(), 'teu-rpc-'));
  const address = `unix:${join(directory, 'echo.sock')}`;
  const { longRunning = [], ...serverOptions } = options;
  const server = await startRpcServer({
    name: 'echo',
    version: '0',
    address,
    log: silentLogger,
    services: [implement(EchoService, { ...echoHandlers, ...handlers }, { longRunning })],
    ...serverOptions,
  }).catch((error: unknown) => {
    rmSync(directory, { recursive: true, force: true });
    throw error;
  });
  const channel = connect(server.address);
  return {
    address: server.address,
    directory,
    server,
    channel,
    [Symbol.asyncDispose]: async () => {
      channel.close();
      await server.close(100);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** All of a stream. */
export async function collect<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

/** An iterable of these. */
export async function* streamOf<T>(...messages: T[]): AsyncGenerator<T> {
  yield* messages;
}

/** Calls the test service by each of the four kinds; each gives the texts of the answers. */
export const callKinds: Record<
  'unary' | 'serverStream' | 'clientStream' | 'bidi',
  (channel: RpcChannel, text: string) => Promise<string[]>
> = {
  unary: async (channel, text) => [(await channel.unary(EchoService.one, { text })).text],
  serverStream: async (channel, text) =>
    (await collect(channel.serverStream(EchoService.out, { text }))).map((note) => note.text),
  clientStream: async (channel, text) => [
    (await channel.clientStream(EchoService.in, streamOf({ text }))).text,
  ],
  bidi: async (channel, text) =>
    (await collect(channel.bidi(EchoService.both, streamOf({ text })))).map((note) => note.text),
};

/** Waits for an event that a promise cannot tell of, with a deadline. */
export async function until(predicate: () => boolean, timeoutMs = 5000): Promise<void> {
  const end = performance.now() + timeoutMs;
  while (!predicate()) {
    if (performance.now() > end) throw new Error('it did not happen in time');
    await new Promise((resolve) => setImmediate(resolve));
  }
}
