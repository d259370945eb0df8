import { teuError } from '@teu/errors';
import type { CredentialsOf } from './credentials.js';
import { Endpoint } from './endpoint.js';
import type { ProxyOf } from './proxy.js';
import type { RegistrySettings } from './registry-settings.js';
import { Repository } from './repository.js';
import { DEFAULT_RETRY, type RetryPolicy } from './retry.js';
import { createTransport, type Patience, type Transport } from './transport.js';

/** How a client behaves. */
export interface RegistryClientOptions {
  settings: RegistrySettings;
  credentialsOf?: CredentialsOf;
  patience?: Patience;
  retry?: RetryPolicy;
  /** Proxies; none if not given. */
  proxyOf?: ProxyOf;
}

/** Talks to registries for one operation: its connections, tokens and credentials end with it. */
export class RegistryClient {
  readonly #options: RegistryClientOptions;
  readonly #transport: Transport;
  readonly #endpoints = new Map<string, Endpoint>();
  readonly retry: RetryPolicy;

  constructor(options: RegistryClientOptions) {
    this.#options = options;
    this.retry = options.retry ?? DEFAULT_RETRY;
    this.#transport = createTransport({
      identityOf: (host) => options.settings.identityOf(host),
      ...(options.patience && { patience: options.patience }),
      ...(options.proxyOf && { proxyOf: options.proxyOf }),
    });
  }

  /** A repository at its registry. */
  repository(registry: string, name: string): Repository {
    return new Repository(this.#endpoint(registry), name, this.retry);
  }

  /** The same repository at each host that can be pulled from, in the order in which to ask. */
  sources(registry: string, name: string): Repository[] {
    const { mirrors } = this.#options.settings.of(registry);
    return [...mirrors, registry].map((host) => this.repository(host, name));
  }

  /**
   * Asks whether a registry lets us in.
   * @returns a refresh token to be kept in place of the password; empty if the registry gives none
   * @throws REGISTRY_DENIED, REGISTRY_UNAVAILABLE, REGISTRY_FAILED
   */
  async checkCredentials(registry: string, signal: AbortSignal): Promise<string> {
    const endpoint = this.#endpoint(registry);
    const step = 'logging in';
    const response = await endpoint.send({
      ...{ method: 'GET', target: '/v2/', repository: '', scopes: [], step, signal },
      expected: [200, 404],
    });
    response.body.destroy();
    if (response.status === 404) {
      throw teuError('REGISTRY_FAILED', `${registry}: ${step}: it is no registry`, {
        metadata: { host: registry, step },
      });
    }
    return endpoint.identityToken(signal);
  }

  /** Ends all connections. */
  close(): void {
    this.#transport.close();
  }

  #endpoint(registry: string): Endpoint {
    const known = this.#endpoints.get(registry);
    if (known) return known;
    const { insecure, trustedHosts } = this.#options.settings.of(registry);
    const made = new Endpoint({
      registry,
      transport: this.#transport,
      credential: this.#options.credentialsOf?.(registry),
      insecure,
      trustedHosts,
    });
    this.#endpoints.set(registry, made);
    return made;
  }
}
