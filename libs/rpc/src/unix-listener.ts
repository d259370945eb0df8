import { randomBytes } from 'node:crypto';
import { chmodSync, lstatSync, mkdirSync, renameSync, unlinkSync } from 'node:fs';
import { connect, createServer, type Server, type Socket } from 'node:net';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import { teuError } from '@teu/errors';
import type { Logger } from '@teu/log';
import { peerCredentials } from '@teu/native/peercred';
import { attachPeer, socketFd } from './peer.js';

/** `sun_path` of unix(7) has 108 bytes, the last of them zero. */
const SOCKET_PATH_BYTES_MAX = 107;

export interface UnixListener {
  close(): Promise<void>;
}

/**
 * Listens on a unix socket that only this user can open (0600, in a directory made 0700 if absent), and
 * hands over connections of this user and of root, before a byte of them is read. The path appears with
 * its final permissions; a socket left by a dead server is replaced, one that somebody answers on is not.
 * @throws ALREADY_EXISTS, INVALID_ARGUMENT, or what listen(2) said.
 */
export async function listenUnix(
  path: string,
  log: Logger,
  onConnection: (socket: Socket) => void,
): Promise<UnixListener> {
  requirePeerCredentials();
  const temporary = join(dirname(path), `.${basename(path)}.${randomBytes(3).toString('hex')}`);
  if (Buffer.byteLength(temporary) > SOCKET_PATH_BYTES_MAX) {
    throw teuError('INVALID_ARGUMENT', 'the path of the socket is too long');
  }
  prepareDirectory(dirname(path));
  if (await isAnswered(path)) {
    throw teuError('ALREADY_EXISTS', `another server listens on ${basename(path)}`);
  }
  const server = createServer({ pauseOnConnect: true }, (socket) => {
    if (!admit(socket, log)) return;
    onConnection(socket);
    socket.resume();
  });
  await listen(server, temporary);
  let inode: number;
  try {
    chmodSync(temporary, 0o600);
    inode = lstatSync(temporary).ino;
    renameSync(temporary, path);
  } catch (error) {
    server.close();
    throw error;
  }
  server.on('error', (error) => log.error({ err: error }, 'socket failed'));
  return { close: () => closeListener(server, path, inode) };
}

/** Without the addon nobody could be refused: then there is no server. Probed on no socket at all. */
function requirePeerCredentials(): void {
  try {
    peerCredentials(-1);
  } catch (error) {
    // EBADF is the addon's own answer. Anything else is the failure to load it.
    if ((error as { errno?: unknown }).errno !== undefined) return;
    throw teuError('INTERNAL', 'peercred.node cannot be loaded; run npm run build', {
      cause: error,
    });
  }
}

function admit(socket: Socket, log: Logger): boolean {
  // Whoever drops a connection before or after this is not worth a crash.
  socket.on('error', () => socket.destroy());
  try {
    const peer = peerCredentials(socketFd(socket));
    if (peer.uid === process.geteuid?.() || peer.uid === 0) {
      attachPeer(socket, peer);
      return true;
    }
    log.warn({ peer }, 'connection of another user refused');
  } catch (error) {
    log.warn({ err: error }, 'connection refused: its user is not known');
  }
  socket.destroy();
  return false;
}

function prepareDirectory(directory: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  const status = lstatSync(directory);
  const isOurs = status.isDirectory() && status.uid === process.geteuid?.();
  if (!isOurs || (status.mode & 0o022) !== 0) {
    throw teuError('PERMISSION_DENIED', 'the directory of the socket can be changed by others');
  }
}

/** True if a server accepts connections there. */
async function isAnswered(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(path);
    probe.once('connect', () => {
      probe.destroy();
      resolve(true);
    });
    probe.once('error', () => resolve(false));
  });
}

async function listen(server: Server, path: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen({ path, backlog: 511 }, () => {
      server.off('error', reject);
      resolve();
    });
  });
}

/** Takes no more connections and removes the path, unless another server's socket is there by now. */
async function closeListener(server: Server, path: string, inode: number): Promise<void> {
  try {
    if (lstatSync(path).ino === inode) unlinkSync(path);
  } catch {
    // Somebody removed it: what we wanted.
  }
  // Its connections are closed by the gRPC server, in its own time; here only the listening ends.
  await new Promise<void>((resolve) => {
    server.close(() => resolve());
    setImmediate(resolve);
  });
}
