import { clock } from '@teu/ids';
import { parseChallenges, type Challenge } from './challenge.js';
import { basicAuthorization, type Credential } from './credentials.js';
import { registryError, type Where } from './registry-error.js';
import { requestToken, type IssuedToken } from './token-service.js';
import type { Transport } from './transport.js';
import { isTrustedRealm } from './trusted-realm.js';

/** Whose requests these are, and to whom. */
export interface AuthorizerOptions {
  transport: Transport;
  credential: Credential | undefined;
  /** Hosts that are trusted like the registry, with port as in URLs. */
  trustedHosts: readonly string[];
}

/** What a request is for. */
export interface AuthorizedRequest {
  /** Base URL of the registry. */
  base: URL;
  /** "repository:library/debian:pull", … */
  scopes: readonly string[];
  where: Where;
  signal: AbortSignal;
  /** Whether the token service may be at an address. */
  allows: ((address: string) => boolean) | undefined;
}

/** Ask for a new token this long before the old one ends. */
const MARGIN_MS = 5_000;

/**
 * Makes Authorization headers for one registry, as it has asked for them. A token is kept for its scopes and its time,
 * and asked for once however many requests want it.
 */
export class Authorizer {
  readonly #options: AuthorizerOptions;
  readonly #tokens = new Map<string, { issued: Promise<IssuedToken>; until: number }>();
  #challenge: Challenge | undefined;

  constructor(options: AuthorizerOptions) {
    this.#options = options;
  }

  /** Header for a request; undefined before the registry has asked for any. */
  async header(request: AuthorizedRequest): Promise<string | undefined> {
    const { credential } = this.#options;
    const challenge = this.#challenge;
    if (challenge === undefined) return undefined;
    if (challenge.scheme === 'basic') {
      return credential?.kind === 'password'
        ? basicAuthorization(credential.user, credential.password)
        : undefined;
    }
    if (credential?.kind === 'registry token') return `Bearer ${credential.token}`;
    return `Bearer ${(await this.#token(challenge, request, false)).token}`;
  }

  /**
   * Learns from an answer 401 how the registry wants to be asked. A token that it did not take is not used again.
   * @returns whether there is something new to say
   */
  learn(header: string | undefined, { scopes }: AuthorizedRequest): boolean {
    const challenges = parseChallenges(header ?? '');
    const { credential } = this.#options;
    const found =
      challenges.find(({ scheme }) => scheme === 'bearer') ??
      challenges.find(({ scheme }) => scheme === 'basic');
    if (found === undefined) return false;
    this.#challenge = found;
    this.#tokens.delete(scopes.join(' '));
    return found.scheme === 'bearer' || credential?.kind === 'password';
  }

  /** A refresh token for the password; empty if the registry has none to give. */
  async identityToken(request: AuthorizedRequest): Promise<string> {
    const challenge = this.#challenge;
    if (challenge?.scheme !== 'bearer' || this.#options.credential?.kind !== 'password') return '';
    return (await this.#token(challenge, request, true)).refreshToken;
  }

  async #token(
    challenge: Extract<Challenge, { scheme: 'bearer' }>,
    request: AuthorizedRequest,
    offline: boolean,
  ): Promise<IssuedToken> {
    const key = request.scopes.join(' ');
    const known = offline ? undefined : this.#tokens.get(key);
    if (known && known.until > clock.monotonicMs()) return known.issued;
    const issued = this.#request(challenge, request, offline);
    const entry = { issued, until: Infinity };
    this.#tokens.set(key, entry);
    try {
      const { lifetimeMs } = await issued;
      entry.until = clock.monotonicMs() + Math.max(MARGIN_MS, lifetimeMs - MARGIN_MS);
    } catch (error) {
      if (this.#tokens.get(key) === entry) this.#tokens.delete(key);
      throw error;
    }
    return issued;
  }

  async #request(
    { realm: text, service }: Extract<Challenge, { scheme: 'bearer' }>,
    { base, scopes, where, signal, allows }: AuthorizedRequest,
    offline: boolean,
  ): Promise<IssuedToken> {
    const { transport, credential, trustedHosts } = this.#options;
    const realm = URL.canParse(text) ? new URL(text) : undefined;
    if (realm === undefined || !isTrustedRealm(realm, base, trustedHosts)) {
      const what =
        `it sends us to a token service at ${realm?.host ?? 'no address'}, which is not its own; ` +
        'hosts that it may send to are configured as trustedHosts';
      throw registryError('REGISTRY_FAILED', where, what, {
        metadata: { realm: realm?.host ?? '' },
      });
    }
    return requestToken(transport, {
      ...{ realm, service, scopes, credential, offline, signal },
      where: { ...where, host: realm.host, step: 'asking for a token' },
      allows: trustedHosts.includes(realm.host) ? undefined : allows,
    });
  }
}
