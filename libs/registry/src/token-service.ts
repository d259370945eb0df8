import { isTeuError } from '@teu/errors';
import { wholeBody } from './body-sender.js';
import { basicAuthorization, type Credential } from './credentials.js';
import { readAtMost, readBeginning } from './read-body.js';
import { connectionError, registryError, statusError, type Where } from './registry-error.js';
import type { HttpResponse, Transport } from './transport.js';

/** What a token service gave (distribution, "Token Authentication Specification"). */
export interface IssuedToken {
  /** For Authorization: Bearer. */
  token: string;
  /** Milliseconds from now. */
  lifetimeMs: number;
  /** To be kept in place of the password; empty if it gave none. */
  refreshToken: string;
}

/** What a token is asked for. */
export interface TokenRequest {
  realm: URL;
  service: string;
  scopes: readonly string[];
  credential: Credential | undefined;
  /** Whether a refresh token is wanted as well. */
  offline: boolean;
  where: Where;
  signal: AbortSignal;
  allows: ((address: string) => boolean) | undefined;
}

const CLIENT = 'teu';
const ANSWER_BYTES_MAX = 1024 * 1024;
const DEFAULT_LIFETIME_S = 60;
const LIFETIME_S_MAX = 3600;
// What may stand in a header (RFC 6750, 2.1), bounded as servers bound it.
const TOKEN = /^[A-Za-z0-9\-._~+/:=]{1,65536}$/;

/**
 * Asks a token service: by GET with user and password or nothing, by POST of OAuth 2 with an identity token. Redirects
 * are not followed: they could lead anywhere, and carry the secret there.
 * @throws REGISTRY_DENIED, REGISTRY_FAILED, REGISTRY_UNAVAILABLE
 */
export async function requestToken(
  transport: Transport,
  request: TokenRequest,
): Promise<IssuedToken> {
  const { where, signal } = request;
  let response: HttpResponse;
  try {
    response = await transport.send({
      ...(request.credential?.kind === 'identity token' ? oauthPost(request) : tokenGet(request)),
      signal,
      allows: request.allows,
    });
    if (response.status !== 200) {
      const body = await readBeginning(response, ANSWER_BYTES_MAX, transport.patience.stallMs);
      throw refusal(where, response, body);
    }
    const body = await readAtMost(response, ANSWER_BYTES_MAX, transport.patience.stallMs);
    if (body === 'too long') throw failed(where, `its answer exceeds ${ANSWER_BYTES_MAX} bytes`);
    return parseAnswer(body, where);
  } catch (error) {
    signal.throwIfAborted();
    throw connectionError(where, error);
  }
}

function tokenGet(request: TokenRequest) {
  const { realm, service, scopes, credential, offline } = request;
  const url = new URL(realm);
  if (service !== '') url.searchParams.set('service', service);
  for (const scope of scopes) url.searchParams.append('scope', scope);
  if (offline) {
    url.searchParams.set('offline_token', 'true');
    url.searchParams.set('client_id', CLIENT);
  }
  const headers: Record<string, string> = {};
  if (credential?.kind === 'password') {
    url.searchParams.set('account', credential.user);
    headers['authorization'] = basicAuthorization(credential.user, credential.password);
  }
  return { method: 'GET', url, headers };
}

function oauthPost({ realm, service, scopes, credential }: TokenRequest) {
  const form = new URLSearchParams({
    grant_type: 'refresh_token',
    service,
    client_id: CLIENT,
    refresh_token: credential?.kind === 'identity token' ? credential.token : '',
  });
  if (scopes.length > 0) form.set('scope', scopes.join(' '));
  const bytes = Buffer.from(form.toString());
  const headers = {
    'content-type': 'application/x-www-form-urlencoded',
    'content-length': String(bytes.length),
  };
  return { method: 'POST', url: realm, headers, body: wholeBody(bytes) };
}

function refusal(where: Where, response: HttpResponse, body: Uint8Array): Error {
  const error = statusError(where, response, body);
  // A token service that does not know the user says 400 or 404 as well.
  if (isTeuError(error, 'IMAGE_NOT_FOUND') || response.status === 400) {
    return registryError('REGISTRY_DENIED', where, `it gave no token (HTTP ${response.status})`);
  }
  return error;
}

function parseAnswer(body: Buffer, where: Where): IssuedToken {
  let answer: Record<string, unknown>;
  try {
    answer = JSON.parse(body.toString('utf8')) as Record<string, unknown>;
  } catch (cause) {
    throw registryError('REGISTRY_FAILED', where, 'its answer is not JSON', { cause });
  }
  const text = (name: string): string => {
    const value = answer[name];
    return typeof value === 'string' ? value : '';
  };
  const token = text('token') === '' ? text('access_token') : text('token');
  if (!TOKEN.test(token)) throw failed(where, 'its answer has no token');
  const refreshToken = text('refresh_token');
  const seconds = Number(answer['expires_in'] ?? DEFAULT_LIFETIME_S);
  const bounded = Math.min(LIFETIME_S_MAX, seconds > 0 ? seconds : DEFAULT_LIFETIME_S);
  return {
    token,
    lifetimeMs: bounded * 1000,
    refreshToken: TOKEN.test(refreshToken) ? refreshToken : '',
  };
}

function failed(where: Where, what: string): Error {
  return registryError('REGISTRY_FAILED', where, what);
}
