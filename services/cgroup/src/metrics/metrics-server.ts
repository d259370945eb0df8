import { once, type EventEmitter } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { teuError } from '@teu/errors';
import type { Logger } from '@teu/log';
import { EXPOSITION_TYPE } from './exposition.js';
import { isOwnHost, type MetricsAddress } from './metrics-address.js';

/** A scraper or two, and a person with curl. */
const CONNECTIONS_MAX = 16;
const HEADER_BYTES_MAX = 8 * 1024;
const HEADER_TIMEOUT_MS = 5_000;
/** The whole exchange: a reader who stops reading is cut off. */
const ANSWER_TIMEOUT_MS = 30_000;
const IDLE_TIMEOUT_MS = 60_000;

/** Serves metrics until it is closed. */
export interface MetricsServer {
  /** With the port that was picked, `127.0.0.1:9323`. */
  readonly address: string;
  close(): Promise<void>;
}

/**
 * Serves `GET /metrics` for scrapers on this host.
 *
 * @param collect - Gives the text in parts; asked for the next when there is room for it.
 * @throws ALREADY_EXISTS if the port is taken
 */
export async function startMetricsServer(
  where: MetricsAddress,
  collect: () => AsyncIterable<string>,
  log: Logger,
): Promise<MetricsServer> {
  const server = createServer(
    {
      maxHeaderSize: HEADER_BYTES_MAX,
      headersTimeout: HEADER_TIMEOUT_MS,
      requestTimeout: HEADER_TIMEOUT_MS,
      connectionsCheckingInterval: 1_000,
      keepAliveTimeout: IDLE_TIMEOUT_MS,
    },
    (request, response) => {
      answer(where, collect, request, response).catch((error: unknown) => {
        log.debug({ err: error }, 'metrics were not read to the end');
        response.destroy();
      });
    },
  );
  server.maxConnections = CONNECTIONS_MAX;
  await listen(server, where);
  const { port } = server.address() as AddressInfo;
  const address = `${where.host.includes(':') ? `[${where.host}]` : where.host}:${String(port)}`;
  server.on('error', (error) => log.error({ err: error }, 'metrics cannot be served'));
  log.info({ metrics: address }, 'metrics are served');
  const close = async (): Promise<void> => {
    const closed = once(server, 'close');
    server.close();
    server.closeAllConnections();
    await closed;
  };
  return { address, close };
}

async function listen(server: Server, { host, port }: MetricsAddress): Promise<void> {
  server.listen({ host, port });
  try {
    await once(server, 'listening');
  } catch (cause) {
    const text = `metrics cannot be served at ${host}:${String(port)}`;
    throw teuError('ALREADY_EXISTS', text, { cause });
  }
}

async function answer(
  where: MetricsAddress,
  collect: () => AsyncIterable<string>,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  response.setTimeout(ANSWER_TIMEOUT_MS, () => response.destroy());
  response.setHeader('X-Content-Type-Options', 'nosniff');
  const refusal = refusalOf(where, request);
  if (refusal !== undefined) {
    const [status, text] = refusal;
    // What else the request has is not read.
    response.writeHead(status, {
      'Content-Type': 'text/plain',
      Connection: 'close',
      Allow: 'GET, HEAD',
    });
    response.end(`${text}\n`);
    return;
  }
  response.writeHead(200, { 'Content-Type': EXPOSITION_TYPE });
  if (request.method === 'GET') {
    for await (const text of collect()) {
      if (response.destroyed) return;
      if (text !== '' && !response.write(text)) await roomOrEnd(response);
    }
  }
  response.end();
}

function refusalOf(where: MetricsAddress, request: IncomingMessage): [number, string] | undefined {
  if (!isOwnHost(request.headers.host, where)) return [403, 'this name is not of this server'];
  if (request.method !== 'GET' && request.method !== 'HEAD') return [405, 'GET or HEAD'];
  if (request.url?.split('?')[0] !== '/metrics') return [404, 'there is /metrics'];
  return undefined;
}

/** Waits until more may be written, or nobody is there any more. */
export async function roomOrEnd(response: EventEmitter): Promise<void> {
  await new Promise<void>((resolve) => {
    const goOn = (): void => {
      // A long answer waits many times.
      response.off('drain', goOn);
      response.off('close', goOn);
      resolve();
    };
    response.once('drain', goOn);
    response.once('close', goOn);
  });
}
