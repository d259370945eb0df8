import { isIP } from 'node:net';

/** Where metrics are served. */
export interface MetricsAddress {
  readonly host: string;
  /** 0 for any that is free. */
  readonly port: number;
}

/**
 * Reads `127.0.0.1:PORT`, `[::1]:PORT` or `localhost:PORT`. Whoever reaches the port reads the names and figures of all
 * containers, so it is open to this host only; who wants more puts a proxy with authentication in front.
 *
 * @throws Error whose message says what was expected
 */
export function parseMetricsAddress(text: string): MetricsAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([a-zA-Z0-9.-]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65_535) throw new Error('expected host:port');
  const name = match[1] ?? match[2] ?? '';
  const host = name === 'localhost' ? '127.0.0.1' : name;
  if (!isLoopback(host)) {
    throw new Error(
      'expected an address of this host only, such as 127.0.0.1:9323: there is no authentication',
    );
  }
  return { host, port };
}

/** RFC 1122 section 3.2.1.3 and RFC 4291 section 2.5.3. */
function isLoopback(host: string): boolean {
  return isIP(host) === 4 ? host.startsWith('127.') : host === '::1';
}

/**
 * Whether a Host header names a server of this host. A page in a browser can have its own name lead to 127.0.0.1 and
 * read what is served there; it cannot choose this header.
 */
export function isOwnHost(header: string | undefined, { host }: MetricsAddress): boolean {
  const name = header?.replace(/:\d{1,5}$/, '').toLowerCase();
  return name !== undefined && ['localhost', '127.0.0.1', '[::1]', host].includes(name);
}
