import { kindOfAddress, maySendTo } from './address-kind.js';
import { Authorizer, type AuthorizedRequest } from './authorizer.js';
import type { RequestBody } from './body-sender.js';
import type { Credential } from './credentials.js';
import { readBeginning } from './read-body.js';
import { connectionError, registryError, statusError, type Where } from './registry-error.js';
import { ConnectionFailure, type HttpResponse, type Transport } from './transport.js';

/** A host that serves the protocol. */
export interface EndpointOptions {
  /** Host with port as in image names, "docker.io" for Docker Hub. */
  registry: string;
  transport: Transport;
  credential: Credential | undefined;
  /** Plain HTTP, and nothing else. */
  insecure: boolean;
  trustedHosts: readonly string[];
}

/** A request to a registry. */
export interface EndpointRequest {
  method: string;
  /** Path below the host, with its query; or a whole URL that the registry gave. */
  target: string | URL;
  headers?: Readonly<Record<string, string>>;
  body?: RequestBody;
  /** Repository; empty if it is none's. */
  repository: string;
  scopes: readonly string[];
  step: string;
  /** Statuses that are no error. */
  expected: readonly number[];
  signal: AbortSignal;
}

const REDIRECTS_MAX = 5;
const ERROR_BYTES_MAX = 1024 * 1024;
const AUTHORIZATIONS_MAX = 2;
const HUB_HOST = 'registry-1.docker.io';

/**
 * Talks to one registry: says who we are as it asks for it, and follows where it sends us. The Authorization header is
 * for its own scheme, host and port only.
 */
export class Endpoint {
  readonly registry: string;
  readonly #options: EndpointOptions;
  readonly #authorizer: Authorizer;
  #base: Promise<URL> | undefined;
  #address: string | undefined;

  constructor(options: EndpointOptions) {
    this.registry = options.registry;
    this.#options = options;
    this.#authorizer = new Authorizer(options);
  }

  get patience() {
    return this.#options.transport.patience;
  }

  /** Where something is done, for errors. */
  where(repository: string, step: string): Where {
    return { host: this.registry, repository, step };
  }

  /**
   * Sends a request and gives the answer if its status is one of those expected.
   * @throws REGISTRY_DENIED, REGISTRY_UNAVAILABLE, REGISTRY_FAILED, IMAGE_NOT_FOUND; connections that break and answers
   *   that ask for patience advise a retry
   */
  async send(request: EndpointRequest): Promise<HttpResponse> {
    const where = this.where(request.repository, request.step);
    const { stallMs } = this.patience;
    try {
      const base = await this.#baseUrl(request.signal);
      const response = await this.#authorized(base, request, where);
      if (request.expected.includes(response.status)) return response;
      const body = await readBeginning(response, ERROR_BYTES_MAX, stallMs);
      throw statusError(where, response, body);
    } catch (error) {
      request.signal.throwIfAborted();
      throw connectionError(where, error);
    }
  }

  /** A refresh token for the password, after a request was let through; empty if there is none. */
  async identityToken(signal: AbortSignal): Promise<string> {
    const where = this.where('', 'asking for an identity token');
    const base = await this.#baseUrl(signal);
    return this.#authorizer.identityToken(this.#authorizedRequest(base, [], where, signal));
  }

  #authorizedRequest(
    base: URL,
    scopes: readonly string[],
    where: Where,
    signal: AbortSignal,
  ): AuthorizedRequest {
    return { base, scopes, where, signal, allows: (address) => maySendTo(address, this.#address) };
  }

  async #authorized(base: URL, request: EndpointRequest, where: Where): Promise<HttpResponse> {
    const { scopes, signal } = request;
    const authorized = this.#authorizedRequest(base, scopes, where, signal);
    for (let round = 0; ; round += 1) {
      const authorization = await this.#authorizer.header(authorized);
      const response = await this.#followed(base, request, where, authorization);
      const isOwn = response.url.origin === base.origin;
      if (response.status !== 401 || !isOwn || round >= AUTHORIZATIONS_MAX) return response;
      const said = authorization !== undefined;
      const news = this.#authorizer.learn(response.headers['www-authenticate'], authorized);
      if (!news || (said && round > 0)) return response;
      response.body.destroy();
    }
  }

  async #followed(
    base: URL,
    request: EndpointRequest,
    where: Where,
    authorization: string | undefined,
  ): Promise<HttpResponse> {
    const { transport, trustedHosts } = this.#options;
    let url = typeof request.target === 'string' ? new URL(request.target, base) : request.target;
    let given = typeof request.target !== 'string';
    for (let count = 0; ; count += 1) {
      const isOwn = url.origin === base.origin;
      const response = await transport.send({
        method: request.method,
        url,
        headers: {
          ...request.headers,
          ...(isOwn && authorization !== undefined ? { authorization } : {}),
        },
        body: request.body,
        signal: request.signal,
        ...(given && !isOwn && !trustedHosts.includes(url.host)
          ? { allows: (address: string) => maySendTo(address, this.#address) }
          : {}),
      });
      if (isOwn) this.#address = response.address ?? this.#address;
      if (!isRedirect(response.status)) return response;
      response.body.destroy();
      if (count >= REDIRECTS_MAX) {
        throw registryError('REGISTRY_FAILED', where, `more than ${REDIRECTS_MAX} redirects`);
      }
      if (request.body !== undefined || !['GET', 'HEAD'].includes(request.method)) {
        throw registryError('REGISTRY_FAILED', where, 'it redirects what is sent to it');
      }
      url = locationOf(response.headers.location, url, where);
      given = true;
    }
  }

  /** As configured; for a registry on this machine whatever it speaks, as nobody is in between. */
  #baseUrl(signal: AbortSignal): Promise<URL> {
    this.#base ??= this.#findBase(signal).catch((error: unknown) => {
      this.#base = undefined;
      throw error;
    });
    return this.#base;
  }

  async #findBase(signal: AbortSignal): Promise<URL> {
    const { registry, insecure, transport } = this.#options;
    const host = registry === 'docker.io' ? HUB_HOST : registry;
    if (insecure) return new URL(`http://${host}`);
    const secure = new URL(`https://${host}`);
    if (!isLoopback(secure.hostname)) return secure;
    try {
      const url = new URL('/v2/', secure);
      const answer = await transport.send({ method: 'GET', url, headers: {}, signal });
      answer.body.destroy();
      return secure;
    } catch (error) {
      const isPlain =
        error instanceof ConnectionFailure &&
        ['no tls', 'lost', 'unreachable'].includes(error.kind);
      if (isPlain) return new URL(`http://${host}`);
      throw error;
    }
  }
}

function isLoopback(hostname: string): boolean {
  if (hostname === 'localhost') return true;
  const literal = hostname.replace(/^\[|\]$/g, '');
  return /^[\d.]+$|:/.test(literal) && kindOfAddress(literal) === 'loopback';
}

function isRedirect(status: number): boolean {
  return [301, 302, 303, 307, 308].includes(status);
}

/** Where the registry sends us. Never from TLS to plain HTTP, and to nothing but HTTP. @throws REGISTRY_FAILED */
export function locationOf(location: string | undefined, from: URL, where: Where): URL {
  const refuse = (what: string): Error => registryError('REGISTRY_FAILED', where, what);
  if (location === undefined || !URL.canParse(location, from.href)) {
    throw refuse('it sends us on without an address');
  }
  const url = new URL(location, from);
  const isHttp = url.protocol === 'http:' || url.protocol === 'https:';
  if (!isHttp || url.username !== '' || url.password !== '') {
    throw refuse('it sends us to an address that is not of HTTP');
  }
  if (url.protocol === 'http:' && from.protocol === 'https:') {
    throw refuse('it sends us from TLS to plain HTTP');
  }
  return url;
}
