import type { Socket } from 'node:net';
import { Server, ServerCredentials } from '@grpc/grpc-js';
import { teuError } from '@teu/errors';
import type { Logger } from '@teu/log';
import { MESSAGE_BYTES_MAX } from './failure.js';
import { Health } from './health.js';
import type { Implementation } from './implement.js';
import { reflectionServices } from './reflection/reflection-service.js';
import { serverTls, type TlsFiles } from './tls.js';
import { OpenConnections } from './open-connections.js';
import { listenTcp } from './tcp-listener.js';
import { listenUnix } from './unix-listener.js';

export interface RpcServerOptions {
  /** Name of the service, for the log. */
  name: string;
  version: string;
  /** `unix:/path`, or `host:port` with `tls`; port 0 picks a free one. */
  address: string;
  services: readonly Implementation[];
  log: Logger;
  /** Needed for TCP, refused for unix sockets. */
  tls?: TlsFiles;
  /** How long a unary call without a deadline may take; 120 s if absent. */
  maxUnaryMs?: number;
}

export interface RpcServer {
  /** Where it listens, with the port that was picked. */
  readonly address: string;
  /** What the health service says; SERVING from the start. */
  setServing(serving: boolean): void;
  /**
   * Takes no more calls, waits for those that run, for `graceMs` (5 s if absent) at most, then cuts them
   * off.
   */
  close(graceMs?: number): Promise<void>;
}

const MAX_UNARY_MS = 120_000;
const GRACE_MS = 5_000;
const FLOW_CONTROL_WINDOW_BYTES = 4 * 1024 * 1024;

/**
 * Serves services with health checks and reflection.
 * @throws INVALID_ARGUMENT for TCP without TLS; ALREADY_EXISTS if somebody serves there.
 */
export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const { log } = options;
  const connections = new OpenConnections();
  const server = new Server({
    'grpc.max_receive_message_length': MESSAGE_BYTES_MAX,
    'grpc.enable_channelz': 0,
    'grpc-node.flow_control_window': FLOW_CONTROL_WINDOW_BYTES,
  });
  const names = options.services.map((service) => service.name);
  const health = new Health(names);
  const listed = [...names, health.implementation.name];
  const environment = { log, maxUnaryMs: options.maxUnaryMs ?? MAX_UNARY_MS };
  for (const service of [
    ...options.services,
    health.implementation,
    ...reflectionServices(listed),
  ]) {
    service.register(server, environment);
  }
  const listening = await listen(server, options, connections);
  health.setServing(true);
  log.debug({ address: listening.address, version: options.version }, 'listening');

  let closing: Promise<void> | undefined;
  return {
    address: listening.address,
    setServing: (serving) => health.setServing(serving),
    close: (graceMs = GRACE_MS) => {
      closing ??= (async () => {
        health.setServing(false);
        health.close();
        await listening.stop();
        // Tells the peers to open no more calls; each connection closes after its last one.
        server.tryShutdown(() => undefined);
        await connections.end(graceMs);
      })();
      return closing;
    },
  };
}

interface Listening {
  address: string;
  /** Takes no more connections. */
  stop(): Promise<void>;
}

async function listen(
  server: Server,
  options: RpcServerOptions,
  connections: OpenConnections,
): Promise<Listening> {
  const { address, log, tls } = options;
  const isSocket = address.startsWith('unix:');
  if (isSocket && tls !== undefined) {
    throw teuError('INVALID_ARGUMENT', 'a unix socket takes no TLS settings');
  }
  if (!isSocket && tls === undefined) {
    // Any local user and any container on the host network reaches even a loopback port.
    throw teuError('INVALID_ARGUMENT', 'serving on TCP needs TLS certificates of both sides');
  }
  const injector = server.createConnectionInjector(
    tls === undefined ? ServerCredentials.createInsecure() : serverTls(tls),
  );
  const onConnection = (socket: Socket): void => {
    connections.add(socket);
    injector.injectConnection(socket);
  };
  if (isSocket) {
    const listener = await listenUnix(address.slice('unix:'.length), log, onConnection);
    return { address, stop: () => listener.close() };
  }
  const listener = await listenTcp(address, log, onConnection);
  const host = address.slice(0, address.lastIndexOf(':'));
  return { address: `${host}:${listener.port}`, stop: async () => listener.close() };
}
