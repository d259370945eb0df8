import { RegistryClient, type RegistryClientOptions } from '../registry-client.js';
import { parseRegistriesFile, registrySettings } from '../registry-settings.js';

/** A client with little patience. `registries` as in registries.json. */
export function stubClient(
  registries: Record<string, object>,
  more: Partial<RegistryClientOptions> = {},
  authorities: readonly string[] = [],
): RegistryClient {
  const entries = parseRegistriesFile(JSON.stringify({ registries }));
  return new RegistryClient({
    settings: registrySettings(entries, () => ({ ca: authorities })),
    patience: { stallMs: 300, commitMs: 1000 },
    retry: { attempts: 3, firstDelayMs: 5, maxDelayMs: 50 },
    ...more,
  });
}
