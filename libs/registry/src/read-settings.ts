import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  parseRegistriesFile,
  registrySettings,
  SettingsError,
  type RegistryEntry,
  type RegistrySettings,
} from './registry-settings.js';
import type { TlsIdentity } from './transport.js';

/** Where settings lie. */
export interface SettingsPlaces {
  /** registries.json; need not exist. */
  file: string;
  /** Directory of docker's certs.d; need not exist. */
  certificates: string;
}

const FILE_BYTES_MAX = 1024 * 1024;

/** Reads the settings as they are now. @throws SettingsError */
export function readSettings({ file, certificates }: SettingsPlaces): RegistrySettings {
  const text = readIfThere(file);
  const entries = text === undefined ? new Map<string, RegistryEntry>() : parseRegistriesFile(text);
  return registrySettings(entries, (registry, entry) => identityOf(registry, entry, certificates));
}

function identityOf(
  registry: string,
  { ca, certificate, key }: RegistryEntry,
  directory: string,
): TlsIdentity | undefined {
  const docker = dockerCertificates(directory, registry);
  const authorities = [
    ...(ca === undefined ? [] : [readRequired(ca, `${registry}: ca`)]),
    ...(docker?.ca ?? []),
  ];
  const own =
    certificate === undefined || key === undefined
      ? { certificate: docker?.certificate, key: docker?.key }
      : {
          certificate: readRequired(certificate, `${registry}: clientCertificate`),
          key: readRequired(key, `${registry}: clientKey`),
        };
  if (authorities.length === 0 && own.certificate === undefined) return undefined;
  return {
    ...(authorities.length === 0 ? {} : { ca: authorities }),
    ...(own.certificate === undefined || own.key === undefined
      ? {}
      : { certificate: own.certificate, key: own.key }),
  };
}

/** What docker has for a registry: <host:port>/*.crt, and <name>.cert with <name>.key. */
function dockerCertificates(directory: string, registry: string): TlsIdentity | undefined {
  const path = [registry, `${registry}:443`].map((name) => join(directory, name));
  const found = path.find((candidate) => namesIn(candidate).length > 0);
  if (found === undefined) return undefined;
  const names = namesIn(found);
  const read = (name: string): string => readRequired(join(found, name), `${registry}: ${name}`);
  const pair = names.find(
    (name) => name.endsWith('.cert') && names.includes(name.replace(/\.cert$/, '.key')),
  );
  return {
    ca: names.filter((name) => name.endsWith('.crt')).map(read),
    ...(pair === undefined
      ? {}
      : { certificate: read(pair), key: read(pair.replace(/\.cert$/, '.key')) }),
  };
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory).sort();
  } catch {
    return [];
  }
}

function readIfThere(path: string): string | undefined {
  try {
    const bytes = readFileSync(path);
    if (bytes.length > FILE_BYTES_MAX) throw new SettingsError('is too large');
    return bytes.toString('utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function readRequired(path: string, what: string): string {
  const text = readIfThere(path);
  if (text === undefined) throw new SettingsError(`${what} is not there`);
  return text;
}
