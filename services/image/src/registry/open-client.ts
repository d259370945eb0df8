import { teuError } from '@teu/errors';
import type { RegistryCredentials } from '@teu/proto/image';
import {
  DEFAULT_PATIENCE,
  DEFAULT_RETRY,
  readSettings,
  RegistryClient,
  SettingsError,
  type Credential,
  type ProxyOf,
  type RegistrySettings,
} from '@teu/registry';

/** What is configured about registries. */
export interface RegistryOptions {
  registriesFile: string;
  certificatesDirectory: string;
  registryStallMs: number;
  registryRetryMs: number;
  /** Proxies; none if not given. */
  proxyOf?: ProxyOf;
}

/**
 * Opens a client for one operation, with the settings as they are now.
 * @throws INVALID_ARGUMENT for credentials, INVALID_STATE for settings that can't be used
 */
export function openClient(
  options: RegistryOptions,
  credentials: readonly RegistryCredentials[],
): RegistryClient {
  const known = new Map(
    credentials.map((item, index) => [registryName(item.registry), credentialOf(item, index)]),
  );
  const stallMs = options.registryStallMs;
  return new RegistryClient({
    settings: settingsNow(options),
    credentialsOf: (registry) => known.get(registry),
    patience: { ...DEFAULT_PATIENCE, stallMs, commitMs: Math.max(stallMs * 10, 60_000) },
    retry: { ...DEFAULT_RETRY, firstDelayMs: options.registryRetryMs },
    ...(options.proxyOf && { proxyOf: options.proxyOf }),
  });
}

/** One name for Docker Hub, as image names have it. */
function registryName(registry: string): string {
  return registry === 'index.docker.io' ? 'docker.io' : registry;
}

function settingsNow(options: RegistryOptions): RegistrySettings {
  const { registriesFile: file, certificatesDirectory: certificates } = options;
  try {
    return readSettings({ file, certificates });
  } catch (error) {
    const what = error instanceof SettingsError ? error.message : 'cannot be read';
    throw teuError('INVALID_STATE', `the configuration of registries ${what}`, { cause: error });
  }
}

function credentialOf({ registry, secret }: RegistryCredentials, index: number): Credential {
  const field = `credentials[${index}]`;
  const refuse = (what: string): Error =>
    teuError('INVALID_ARGUMENT', `${field} ${what}`, { metadata: { field } });
  if (registry === '') throw refuse('names no registry');
  if (secret === undefined) throw refuse('has no secret');
  const isClean = (text: string): boolean =>
    text !== '' && text.length <= 65_536 && !/[\r\n\0]/.test(text);
  switch (secret.$case) {
    case 'userPassword': {
      const { user, password } = secret.value;
      if (!isClean(user) || user.includes(':') || !isClean(password)) {
        throw refuse('has a user or password that cannot be sent');
      }
      return { kind: 'password', user, password };
    }
    case 'identityToken':
      if (!isClean(secret.value)) throw refuse('has a token that cannot be sent');
      return { kind: 'identity token', token: secret.value };
    case 'registryToken':
      if (!/^[\x21-\x7e]{1,65536}$/.test(secret.value)) {
        throw refuse('has a token that cannot be sent');
      }
      return { kind: 'registry token', token: secret.value };
  }
}
