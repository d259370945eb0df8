import { isUrlHost } from './url-host.js';
import type { TlsIdentity } from './transport.js';

/** What is configured for one registry. */
export interface RegistryEntry {
  /** Hosts to pull from before the registry itself, with port. */
  mirrors: readonly string[];
  /** Plain HTTP. */
  insecure: boolean;
  /** Hosts that it may send us to, with credentials as token services and whatever their address. */
  trustedHosts: readonly string[];
  /** PEM file of authorities, in addition to the system's. */
  ca?: string;
  /** PEM files of a certificate of ours and its key. */
  certificate?: string;
  key?: string;
}

/** What is configured for all registries, as of now. */
export interface RegistrySettings {
  of(registry: string): RegistryEntry;
  /** What a host, as in URLs, is talked to with. */
  identityOf(urlHost: string): TlsIdentity | undefined;
}

const NOTHING: RegistryEntry = { mirrors: [], insecure: false, trustedHosts: [] };
const MEMBERS = ['mirrors', 'insecure', 'trustedHosts', 'ca', 'clientCertificate', 'clientKey'];

/** Why a file can't be used: the text says which member of which registry. */
export class SettingsError extends Error {}

/** Nothing is configured. */
export const noSettings: RegistrySettings = { of: () => NOTHING, identityOf: () => undefined };

/**
 * Reads registries.json: `{"registries": {"<host[:port]>": {"mirrors": […], "insecure": …, "trustedHosts": […],
 * "ca": "<path>", "clientCertificate": "<path>", "clientKey": "<path>"}}}`; all members may be left out.
 * @throws SettingsError for anything else
 */
export function parseRegistriesFile(text: string): Map<string, RegistryEntry> {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new SettingsError('is not JSON', { cause });
  }
  const top = objectOf(document, 'it', ['registries']);
  const entries = objectOf(top['registries'] ?? {}, 'registries');
  return new Map(
    Object.entries(entries).map(([name, value]) => {
      if (!isUrlHost(name)) throw new SettingsError(`has "${name.slice(0, 64)}", which is no host`);
      return [name, parseEntry(name, value)];
    }),
  );
}

function parseEntry(name: string, value: unknown): RegistryEntry {
  const entry = objectOf(value, name, MEMBERS);
  const { insecure = false } = entry;
  if (typeof insecure !== 'boolean') throw new SettingsError(`${name}: insecure is no boolean`);
  const file = (member: string): string | undefined => {
    const path = entry[member];
    if (path === undefined) return undefined;
    if (typeof path === 'string' && path.startsWith('/')) return path;
    throw new SettingsError(`${name}: ${member} is no absolute path`);
  };
  const [ca, certificate, key] = ['ca', 'clientCertificate', 'clientKey'].map(file);
  if ((certificate === undefined) !== (key === undefined)) {
    throw new SettingsError(`${name}: clientCertificate and clientKey belong together`);
  }
  return {
    mirrors: hosts(entry['mirrors'], `${name}: mirrors`),
    insecure,
    trustedHosts: hosts(entry['trustedHosts'], `${name}: trustedHosts`),
    ...(ca === undefined ? {} : { ca }),
    ...(certificate === undefined || key === undefined ? {} : { certificate, key }),
  };
}

function hosts(value: unknown, where: string): string[] {
  const list = value ?? [];
  const fits =
    Array.isArray(list) &&
    list.length <= 64 &&
    list.every((item) => typeof item === 'string' && isUrlHost(item));
  if (!fits)
    throw new SettingsError(`${where} is no list of hosts, each with its port if it has one`);
  return list as string[];
}

function objectOf(
  value: unknown,
  where: string,
  members?: readonly string[],
): Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new SettingsError(`${where} is no object`);
  }
  const unknown = members && Object.keys(value).find((name) => !members.includes(name));
  if (unknown !== undefined) {
    throw new SettingsError(`${where} has the unknown member "${unknown.slice(0, 64)}"`);
  }
  return value as Record<string, unknown>;
}

/** Settings of a parsed file, with the certificates that `read` finds. */
export function registrySettings(
  entries: ReadonlyMap<string, RegistryEntry>,
  certificates: (registry: string, entry: RegistryEntry) => TlsIdentity | undefined,
): RegistrySettings {
  const identities = new Map<string, TlsIdentity | undefined>();
  const find = (name: string): RegistryEntry | undefined =>
    entries.get(name) ?? entries.get(`${name}:443`);
  return {
    of: (registry) => find(registry) ?? NOTHING,
    identityOf: (urlHost) => {
      if (!identities.has(urlHost)) {
        const name = urlHost === HUB_HOST && find(urlHost) === undefined ? 'docker.io' : urlHost;
        identities.set(urlHost, certificates(name, find(name) ?? NOTHING));
      }
      return identities.get(urlHost);
    },
  };
}

const HUB_HOST = 'registry-1.docker.io';
