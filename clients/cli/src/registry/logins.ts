import { parseImageReference } from '@teu/ids';
import type { RegistryCredentials } from '@teu/proto/image';
import type { Context } from '../context.js';
import { helperErase, helperGet, helperStore } from './credential-helper.js';
import {
  findAuth,
  readDockerConfig,
  registryOfServer,
  serverOf,
  writeDockerConfig,
  type AuthEntry,
  type DockerConfig,
} from './docker-config.js';

type Caller = Pick<Context, 'env' | 'cwd' | 'abort'>;
type Secret = RegistryCredentials['secret'];

const tokenUser = '<token>';

/** What is to be said to the registry of an image; of other registries nothing is told to anybody. */
export async function credentialsFor(
  caller: Caller,
  reference: string,
): Promise<RegistryCredentials[]> {
  const { registry } = parseImageReference(reference, 'NAME');
  const secret = await findSecret(caller, registry);
  return secret === undefined ? [] : [{ registry, secret }];
}

async function findSecret(caller: Caller, registry: string): Promise<Secret> {
  const config = await readDockerConfig(caller);
  const helper = helperOf(config, registry);
  if (helper !== undefined) {
    const login = await helperGet(caller, helper, serverOf(registry));
    if (login?.user === tokenUser) return { $case: 'identityToken', value: login.secret };
    return login && userPassword(login.user, login.secret);
  }
  const entry = findAuth(config, registry);
  return entry && secretOf(entry);
}

function secretOf({
  auth = '',
  identitytoken,
  registrytoken,
  username,
  password,
}: AuthEntry): Secret {
  if (registrytoken !== undefined && registrytoken !== '') {
    return { $case: 'registryToken', value: registrytoken };
  }
  if (identitytoken !== undefined && identitytoken !== '') {
    return { $case: 'identityToken', value: identitytoken };
  }
  if (username !== undefined && password !== undefined) return userPassword(username, password);
  const text = Buffer.from(auth, 'base64').toString('utf8');
  const colon = text.indexOf(':');
  if (colon <= 0) return undefined;
  return userPassword(text.slice(0, colon), text.slice(colon + 1).replace(/\0+$/, ''));
}

function userPassword(user: string, password: string): Secret {
  return { $case: 'userPassword', value: { user, password } };
}

/** The user that is logged in at a registry, if its name is in the file. */
export async function knownUser(caller: Caller, registry: string): Promise<string | undefined> {
  const secret = await findSecret(caller, registry);
  return secret?.$case === 'userPassword' ? secret.value.user : undefined;
}

/**
 * Keeps a login as docker would: with its helper, or in its file.
 * @returns whether it is in the file, where it is readable for whoever reads that
 */
export async function keepLogin(
  caller: Caller,
  registry: string,
  user: string,
  password: string,
  identityToken: string,
): Promise<'file' | 'helper'> {
  const config = await readDockerConfig(caller);
  const helper = helperOf(config, registry);
  const server = serverOf(registry);
  if (helper !== undefined) {
    const isToken = identityToken !== '';
    const login = isToken ? { user: tokenUser, secret: identityToken } : { user, secret: password };
    await helperStore(caller, helper, server, login);
    return 'helper';
  }
  const auth = Buffer.from(`${user}:${identityToken === '' ? password : ''}`).toString('base64');
  const entry = identityToken === '' ? { auth } : { auth, identitytoken: identityToken };
  await writeDockerConfig(caller, {
    ...config,
    auths: { ...withoutRegistry(config, registry), [server]: entry },
  });
  return 'file';
}

/** Forgets a login. @returns whether there was one in the file */
export async function forgetLogin(caller: Caller, registry: string): Promise<boolean> {
  const config = await readDockerConfig(caller);
  const helper = helperOf(config, registry);
  if (helper !== undefined) await helperErase(caller, helper, serverOf(registry));
  if (findAuth(config, registry) === undefined) return helper !== undefined;
  await writeDockerConfig(caller, { ...config, auths: withoutRegistry(config, registry) });
  return true;
}

function helperOf(
  { credHelpers = {}, credsStore }: DockerConfig,
  registry: string,
): string | undefined {
  const named = Object.entries(credHelpers).find(
    ([server]) => registryOfServer(server) === registry,
  );
  const helper = named?.[1] ?? credsStore;
  return helper === '' ? undefined : helper;
}

function withoutRegistry(
  { auths = {} }: DockerConfig,
  registry: string,
): Record<string, AuthEntry> {
  return Object.fromEntries(
    Object.entries(auths).filter(([server]) => registryOfServer(server) !== registry),
  );
}
