import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';

/** A request that somebody made. */
export interface SeenRequest {
  method: string;
  url: string;
  authorization: string | undefined;
  range: string | undefined;
  body: Buffer;
}

/** Answers a request; what it returns false for, and has not begun to answer, gets 404. */
export type StubAnswer = (request: SeenRequest, response: ServerResponse, count: number) => unknown;

/** A server that does what a test says, also what no registry should. */
export interface StubRegistry {
  /** "127.0.0.1:<port>". */
  readonly host: string;
  readonly seen: SeenRequest[];
  /** Connections that were made. */
  connections(): number;
  /** Connections that are open. */
  openConnections(): number;
  stop(): Promise<void>;
}

/** Starts a stub on an address of the loopback network. */
export async function startStub(
  answer: StubAnswer,
  address = '127.0.0.1',
  tls?: { certificate: string; key: string },
): Promise<StubRegistry> {
  const seen: SeenRequest[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body: Buffer[] = [];
    for await (const chunk of request) body.push(chunk as Buffer);
    const { method = '', url = '', headers } = request;
    const { authorization, range } = headers;
    const entry = { method, url, authorization, range, body: Buffer.concat(body) };
    seen.push(entry);
    response.on('error', () => undefined);
    const answered = answer(entry, response, seen.length);
    if (answered === false && !response.headersSent) {
      response.writeHead(404, { 'content-type': 'application/json' });
      response.end('{"errors":[{"code":"MANIFEST_UNKNOWN","message":"it is unknown"}]}');
    }
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void => {
    serve(request, response).catch(() => response.destroy());
  };
  const server =
    tls === undefined
      ? createServer(listener)
      : createTlsServer({ cert: tls.certificate, key: tls.key }, listener);
  server.on('connection', (socket: Socket) => {
    connections += 1;
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, address);
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    host: `${address}:${port}`,
    seen,
    connections: () => connections,
    openConnections: () => sockets.size,
    stop: async () => {
      server.close();
      for (const socket of sockets) socket.destroy();
      await once(server, 'close').catch(() => undefined);
    },
  };
}

/** "sha256:…". */
export function sha256(bytes: Uint8Array | string): string {
  return `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
}
