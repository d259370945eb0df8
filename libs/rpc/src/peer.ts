import type { Socket } from 'node:net';
import type { PeerCredentials } from '@teu/native/peercred';

export type { PeerCredentials } from '@teu/native/peercred';

const PREFIX = 'peer:';

/**
 * File descriptor of a socket; Node keeps it on a handle that its types do not show (net.js sets it
 * for sockets and pipes on POSIX).
 * @throws Error if it is closed.
 */
export function socketFd(socket: Socket): number {
  const handle = (socket as unknown as { _handle?: { fd?: unknown } | null })._handle;
  if (typeof handle?.fd !== 'number' || handle.fd < 0) throw new Error('the socket has no fd');
  return handle.fd;
}

/**
 * Attaches credentials to a unix socket as its remote address, which such a socket has none of: thus
 * every call can tell them through grpc-js's getPeer(), without a table of connections beside it.
 */
export function attachPeer(socket: Socket, peer: PeerCredentials): void {
  Object.defineProperty(socket, 'remoteAddress', {
    value: `${PREFIX}${peer.pid},${peer.uid},${peer.gid}`,
  });
}

/** The credentials that attachPeer put there; undefined for a TCP peer. */
export function peerOfAddress(address: string): PeerCredentials | undefined {
  const match = /^peer:(\d+),(\d+),(\d+)/.exec(address);
  if (match === null) return undefined;
  return { pid: Number(match[1]), uid: Number(match[2]), gid: Number(match[3]) };
}
