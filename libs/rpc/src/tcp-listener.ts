import { createServer, type AddressInfo, type Socket } from 'node:net';
import { teuError } from '@teu/errors';
import type { Logger } from '@teu/log';

export interface TcpListener {
  /** The port, for those who asked for port 0. */
  readonly port: number;
  /** Takes no more connections. */
  close(): void;
}

/**
 * Listens on `host:port` and hands over what connects; who it is, TLS has to find out.
 * @throws INVALID_ARGUMENT for a malformed address, or what listen(2) said.
 */
export async function listenTcp(
  address: string,
  log: Logger,
  onConnection: (socket: Socket) => void,
): Promise<TcpListener> {
  const colon = address.lastIndexOf(':');
  const host = address.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  const port = Number(address.slice(colon + 1));
  if (colon < 1 || !Number.isInteger(port) || port < 0 || port > 65_535) {
    throw teuError('INVALID_ARGUMENT', 'the address is neither unix:/path nor host:port');
  }
  const server = createServer({ noDelay: true }, (socket) => {
    // Whoever drops a connection is not worth a crash.
    socket.on('error', () => socket.destroy());
    onConnection(socket);
  });
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ host, port }, () => {
      server.off('error', reject);
      resolve();
    });
  });
  server.on('error', (error) => log.error({ err: error }, 'port failed'));
  return { port: (server.address() as AddressInfo).port, close: () => void server.close() };
}
