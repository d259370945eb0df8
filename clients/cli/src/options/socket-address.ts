import { isAbsolute } from 'node:path';
import { UsageError } from '../cli-error.js';

/** unix(7): sun_path has 108 bytes, one of them for its end. */
const socketPathBytesMax = 107;

/**
 * The address of a socket, "unix:/path", of how people write it: so, with two slashes more, or as a
 * plain absolute path.
 */
export function parseSocketAddress(text: string): string {
  const path = text.replace(/^unix:(?:\/\/(?=\/))?/, '');
  if (!isAbsolute(path)) {
    throw new UsageError(
      `"${text}" is not the address of a socket`,
      'addresses are unix:/path/to.sock or /path/to.sock',
    );
  }
  if (Buffer.byteLength(path) > socketPathBytesMax) {
    throw new UsageError(
      `the path of the socket has more than ${String(socketPathBytesMax)} bytes, the most that the kernel takes`,
    );
  }
  return `unix:${path}`;
}
