import { createRequire } from 'node:module';
import { nativeBinary } from '@teu/config';
import { callNative } from './call-native.js';

/** Who is at the other end of a unix socket, as the kernel saw it at connect time. */
export interface PeerCredentials {
  pid: number;
  uid: number;
  gid: number;
}

interface PeercredAddon {
  peerCredentials(fd: number): PeerCredentials;
}

let loaded: PeercredAddon | null = null;

/**
 * SO_PEERCRED of a connected unix socket (unix(7)).
 * @throws NativeError, e.g. `ENOTSOCK` or `ENOPROTOOPT`.
 */
export function peerCredentials(fd: number): PeerCredentials {
  loaded ??= createRequire(import.meta.url)(nativeBinary('peercred.node'));
  const addon = loaded as PeercredAddon;
  return callNative(() => addon.peerCredentials(fd));
}
