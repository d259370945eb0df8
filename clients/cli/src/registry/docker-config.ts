import { CliError } from '../cli-error.js';
import type { Context } from '../context.js';
import { chmod, mkdir, open, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { randomUUID } from 'node:crypto';

/** A login as docker's config file has it. */
export interface AuthEntry {
  /** Base64 of "user:password". */
  auth?: string;
  username?: string;
  password?: string;
  identitytoken?: string;
  registrytoken?: string;
}

/** Docker's config file: what concerns logins, and all the rest as it is. */
export interface DockerConfig {
  auths?: Record<string, AuthEntry>;
  /** Suffix of the name of a helper program, for all registries. */
  credsStore?: string;
  /** The same for single registries. */
  credHelpers?: Record<string, string>;
  [other: string]: unknown;
}

type Place = Pick<Context, 'env' | 'cwd'>;

const hubServer = 'https://index.docker.io/v1/';
const fileBytesMax = 1024 * 1024;

/** Path of docker's config file. */
export function dockerConfigPath({ env, cwd }: Place): string {
  const directory = env['DOCKER_CONFIG'] ?? join(env['HOME'] ?? '/root', '.docker');
  return resolve(cwd, directory, 'config.json');
}

/** Under what name docker keeps the login of a registry. */
export function serverOf(registry: string): string {
  return registry === 'docker.io' ? hubServer : registry;
}

/** Reads the file; nothing if there is none. @throws CliError if it can't be understood */
export async function readDockerConfig(place: Place): Promise<DockerConfig> {
  const path = dockerConfigPath(place);
  let text: string;
  try {
    if ((await stat(path)).size > fileBytesMax) throw new CliError(`${path} is too large`);
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return {};
    throw error;
  }
  try {
    const config: unknown = text.trim() === '' ? {} : JSON.parse(text);
    if (isObject(config) && [config['auths'], config['credHelpers']].every(isObjectOrAbsent)) {
      return config;
    }
  } catch {
    // Told below; the parser's own words may quote a secret.
  }
  throw new CliError(`${path} is not a config file of docker`, {
    hint: 'mend it, or set DOCKER_CONFIG to another directory',
  });
}

/** Writes the file, readable for its owner only; another name until all of it is there. */
export async function writeDockerConfig(place: Place, config: DockerConfig): Promise<void> {
  const path = dockerConfigPath(place);
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const temporary = `${path}.${randomUUID()}`;
  const file = await open(temporary, 'wx', 0o600);
  try {
    await file.writeFile(`${JSON.stringify(config, null, '\t')}\n`);
    await file.sync();
    await file.close();
    await chmod(temporary, 0o600);
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true });
    throw error;
  }
}

/** The login of a registry, under any of the names that docker has had for it. */
export function findAuth({ auths = {} }: DockerConfig, registry: string): AuthEntry | undefined {
  const key = Object.keys(auths).find((name) => registryOfServer(name) === registry);
  return key === undefined ? undefined : auths[key];
}

/** The registry that a name in the file means: old ones are URLs. */
export function registryOfServer(server: string): string {
  const host = server.replace(/^https?:\/\//, '').split('/', 1)[0] ?? '';
  const isHub = host === 'index.docker.io' || host === 'registry-1.docker.io';
  return isHub ? 'docker.io' : host;
}

function isObject(value: unknown): value is DockerConfig {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isObjectOrAbsent(value: unknown): boolean {
  return value === undefined || isObject(value);
}
