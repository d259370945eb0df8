import type { Socket } from 'node:net';
import { join } from 'node:path';
import type { Logger } from '@teu/log';
import { listenUnix } from '@teu/rpc';
import type { Services } from '../services.js';
import { LauncherSession, type Program } from './launcher-session.js';

/** What runs commands for launchers. */
export interface CliServer {
  readonly path: string;
  /** Takes no more launchers; those at work are cut off. */
  close(): Promise<void>;
}

/** What a server needs. */
export interface CliServerOptions {
  /** Directory of the socket. */
  readonly runDir: string;
  readonly services: Services;
  readonly program: Program;
  readonly log: Logger;
}

/** Listens at `cli.sock`, for this user and root only. */
export async function startCliServer(options: CliServerOptions): Promise<CliServer> {
  const path = join(options.runDir, 'cli.sock');
  const sockets = new Set<Socket>();
  const listener = await listenUnix(path, options.log, (socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    new LauncherSession(socket, options.services, options.program);
  });
  return {
    path,
    close: async () => {
      const closed = listener.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
