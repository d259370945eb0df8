import { lookup as lookUpHost, type LookupAddress, type LookupOptions } from 'node:dns';
import { Agent as HttpAgent, request as httpRequest } from 'node:http';
import type { ClientRequest, IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { Agent as HttpsAgent, request as httpsRequest } from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { isTeuError } from '@teu/errors';
import { BodySender, type RequestBody } from './body-sender.js';
import type { ProxyOf } from './proxy.js';

/** Limits of time, all of them of waiting for the other side. Milliseconds. */
export interface Patience {
  /** For the first answer of a request, and for each piece of a body of at least a KiB. */
  stallMs: number;
  /** For the answer to something that was sent whole: a registry may have to store it first. */
  commitMs: number;
}

export const DEFAULT_PATIENCE: Patience = { stallMs: 30_000, commitMs: 300_000 };

/** What one host is talked to with. Belongs to host and port and is used for nobody else. */
export interface TlsIdentity {
  /** PEM; in addition to those of the system. */
  ca?: readonly string[];
  /** PEM of a certificate of ours, and its key. */
  certificate?: string;
  key?: string;
}

/** One request, to one place: redirects are the caller's business. */
export interface HttpRequest {
  method: string;
  url: URL;
  headers: Readonly<Record<string, string>>;
  body?: RequestBody | undefined;
  signal: AbortSignal;
  /** Whether it may go to this address; absent for whoever was configured. */
  allows?: ((address: string) => boolean) | undefined;
}

/** An answer whose body has not been read. */
export interface HttpResponse {
  status: number;
  headers: IncomingHttpHeaders;
  url: URL;
  /** Who answered; undefined behind a proxy. */
  address: string | undefined;
  body: IncomingMessage;
}

/** Why a request got no answer. */
export class ConnectionFailure extends Error {
  readonly kind: 'lost' | 'unreachable' | 'stalled' | 'untrusted' | 'no tls' | 'forbidden';

  constructor(kind: ConnectionFailure['kind'], message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'ConnectionFailure';
    this.kind = kind;
  }
}

/** Connections of one operation. */
export interface Transport {
  readonly patience: Patience;
  /** @throws ConnectionFailure, or the signal's reason */
  send(request: HttpRequest): Promise<HttpResponse>;
  /** Ends all connections. */
  close(): void;
}

const SOCKETS_MAX = 16;

/** What a transport is made with. */
export interface TransportOptions {
  /** What a host (with port, as in URLs) is talked to with. */
  identityOf: (host: string) => TlsIdentity | undefined;
  patience?: Patience;
  proxyOf?: ProxyOf;
}

/** Makes a transport. */
export function createTransport(options: TransportOptions): Transport {
  const { identityOf, patience = DEFAULT_PATIENCE, proxyOf = () => undefined } = options;
  const agents = new Agents();
  return {
    patience,
    send: async (request) => {
      request.signal.throwIfAborted();
      const { url, allows } = request;
      const literal = url.hostname.replace(/^\[|\]$/g, '');
      if (allows && isIP(literal) !== 0 && !allows(literal)) throw forbidden(literal);
      const secure = url.protocol === 'https:';
      const proxy = proxyOf(url);
      // Names are looked up by the proxy, which is trusted with where they lead.
      const guard = allows && proxy === undefined ? { lookup: guardedLookup(allows) } : {};
      const outgoing = (secure ? httpsRequest : httpRequest)(url, {
        method: request.method,
        headers: { 'user-agent': 'teu', ...request.headers },
        agent: agents.get(secure, proxy),
        ...guard,
        ...(secure ? { secureContext: secureContext(identityOf(url.host)) } : {}),
      });
      const response = await exchange(outgoing, request, patience);
      return proxy === undefined ? response : { ...response, address: undefined };
    },
    close: () => agents.destroy(),
  };
}

/** Connections that are kept, by scheme and proxy. */
class Agents {
  readonly #known = new Map<string, HttpAgent>();

  get(secure: boolean, proxy: string | undefined): HttpAgent {
    const key = `${String(secure)} ${proxy ?? ''}`;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const proxyEnv = proxy === undefined ? {} : { HTTP_PROXY: proxy, HTTPS_PROXY: proxy };
    const options = { keepAlive: true, maxSockets: SOCKETS_MAX, proxyEnv };
    const made = secure ? new HttpsAgent(options) : new HttpAgent(options);
    this.#known.set(key, made);
    return made;
  }

  destroy(): void {
    for (const agent of this.#known.values()) agent.destroy();
  }
}

let authorities: readonly string[] | undefined;
const contexts = new WeakMap<TlsIdentity, SecureContext>();
const NOBODY: TlsIdentity = {};

/** Node's authorities and the system's, with what the host is talked to with. Made once for each identity. */
function secureContext(identity: TlsIdentity = NOBODY): SecureContext {
  const known = contexts.get(identity);
  if (known) return known;
  authorities ??= [...new Set([...getCACertificates('default'), ...getCACertificates('system')])];
  const { ca = [], certificate: cert, key } = identity;
  const made = createSecureContext({
    ca: [...authorities, ...ca],
    minVersion: 'TLSv1.2',
    ...(cert === undefined || key === undefined ? {} : { cert, key }),
  });
  contexts.set(identity, made);
  return made;
}

async function exchange(
  outgoing: ClientRequest,
  { url, body, signal }: HttpRequest,
  patience: Patience,
): Promise<HttpResponse> {
  const abort = (): void => void outgoing.destroy(signal.reason as Error);
  signal.addEventListener('abort', abort, { once: true });
  const sender = new BodySender(outgoing, body, patience);
  try {
    const answer = await new Promise<IncomingMessage>((resolve, reject) => {
      outgoing.once('response', resolve);
      // Stays: what breaks later is told by the body.
      outgoing.on('error', reject);
      sender.start(reject);
    });
    const { statusCode: status = 0, headers, socket } = answer;
    const address = socket.remoteAddress;
    // An aborted body ends with this; whoever reads it gets the error.
    answer.once('close', () => signal.removeEventListener('abort', abort));
    answer.on('error', () => undefined);
    return { status, headers, url, address, body: answer };
  } catch (error) {
    outgoing.destroy();
    signal.removeEventListener('abort', abort);
    signal.throwIfAborted();
    // A body that can't be read tells why by itself.
    throw error instanceof ConnectionFailure || isTeuError(error)
      ? error
      : connectionFailure(error);
  } finally {
    sender.end();
  }
}

/** Looks a host up and refuses it if one of its addresses is forbidden; only those looked at are connected to. */
function guardedLookup(allows: (address: string) => boolean): LookupFunction {
  return (hostname, options: LookupOptions, callback) => {
    lookUpHost(hostname, { ...options, all: true }, (error, addresses: LookupAddress[]) => {
      if (error) {
        callback(error, '', 0);
        return;
      }
      const refused = addresses.find(({ address }) => !allows(address));
      const [first] = addresses;
      if (refused || first === undefined) {
        callback(forbidden(refused?.address ?? hostname), '', 0);
      } else if (options.all === true) {
        callback(null, addresses);
      } else {
        callback(null, first.address, first.family);
      }
    });
  };
}

function forbidden(address: string): ConnectionFailure {
  return new ConnectionFailure('forbidden', `it leads to ${address}, where it may not`);
}

const UNREACHABLE = new Set(['ENOTFOUND', 'ECONNREFUSED', 'EHOSTUNREACH', 'ENETUNREACH']);

/** Says in words what Node says in codes. */
export function connectionFailure(error: unknown): ConnectionFailure {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  if (/^(CERT_|UNABLE_TO_|DEPTH_ZERO|SELF_SIGNED|ERR_TLS_CERT|HOSTNAME_)/.test(code)) {
    return new ConnectionFailure('untrusted', `its certificate is not trusted (${code})`, error);
  }
  if (code === 'EPROTO' || code.startsWith('ERR_SSL')) {
    const text = error instanceof Error ? error.message : '';
    const plain = /wrong version number|packet length too long|http request/i.test(text);
    const what = plain ? 'it does not speak TLS' : `TLS failed (${code})`;
    return new ConnectionFailure(plain ? 'no tls' : 'untrusted', what, error);
  }
  if (code === 'ENOTFOUND')
    return new ConnectionFailure('unreachable', 'there is no such host', error);
  if (UNREACHABLE.has(code)) {
    return new ConnectionFailure('unreachable', `it cannot be reached (${code})`, error);
  }
  return new ConnectionFailure('lost', `the connection broke (${code || 'closed early'})`, error);
}
