import { chmodSync, closeSync, existsSync, fsyncSync, mkdirSync, openSync } from 'node:fs';
import { readFileSync, renameSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { permissionsOf, SERVICE_IDENTITIES, type NatsIdentity } from './identities.js';

/** What `writeNatsConfig` needs. */
export interface NatsConfigOptions {
  /** Directory for what one run needs: configuration, pid and ports files. Made if missing, 0700. */
  dir: string;
  /** Directory for what lasts: nkey seeds and JetStream's files. Made if missing, 0700. */
  dataDir: string;
  /** TCP port on 127.0.0.1; -1 lets the server choose and write it to `<dir>/*.ports`. */
  port: number;
  /** Default: SERVICE_IDENTITIES. */
  identities?: readonly NatsIdentity[];
}

/** What was written, and how to use it. */
export interface NatsConfig {
  /** Start the server with `nats-server --config <this>`. */
  configFile: string;
  /** The server writes its process id here. */
  pidFile: string;
  /** Undefined if the server chooses the port. */
  url: string | undefined;
  /** Seed file of an identity, for `connectEvents`. */
  seedFile: (identity: string) => string;
}

/**
 * Writes the configuration of a nats-server that only this installation can use: loopback, one nkey
 * per identity (seeds are made once and kept, files 0400), lists of allowed subjects, and no
 * listener besides the one for clients (no monitoring, leaf nodes, routes, websocket, MQTT).
 */
export async function writeNatsConfig(options: NatsConfigOptions): Promise<NatsConfig> {
  const { dir, dataDir, port, identities = SERVICE_IDENTITIES } = options;
  for (const path of [dir, dataDir]) mkdirSync(path, { recursive: true, mode: 0o700 });
  const seedFile = (identity: string): string => join(dataDir, `${identity}.nkey`);
  const users: string[] = [];
  for (const identity of identities) {
    users.push(userBlock(await publicKey(seedFile(identity.name)), identity));
  }
  const configFile = join(dir, 'nats-server.conf');
  const pidFile = join(dir, 'nats-server.pid');
  const text = configText({ dir, dataDir, port, pidFile, users });
  writeDurably(configFile, text, 0o600);
  const url = port === -1 ? undefined : `nats://127.0.0.1:${port}`;
  return { configFile, pidFile, url, seedFile };
}

function configText(parts: {
  dir: string;
  dataDir: string;
  port: number;
  pidFile: string;
  users: string[];
}): string {
  return `# Written by teu; changes are lost.
server_name: teu
listen: "127.0.0.1:${parts.port}"
pid_file: ${quote(parts.pidFile)}
ports_file_dir: ${quote(parts.dir)}
max_connections: 256
max_payload: 1MB
max_pending: 16MB
write_deadline: "5s"
jetstream: {
  store_dir: ${quote(parts.dataDir)}
  max_memory_store: 16MB
  max_file_store: 512MB
}
authorization: {
  users: [
${parts.users.join('\n')}
  ]
}
`;
}

function userBlock(key: string, identity: NatsIdentity): string {
  const { publish, subscribe } = permissionsOf(identity);
  const list = (subjects: string[]): string => subjects.map(quote).join(', ');
  return `    # ${identity.name}
    { nkey: ${key}, permissions: {
      publish: { allow: [${list(publish)}] }
      subscribe: { allow: [${list(subscribe)}] }
    } }`;
}

/** JSON's string syntax is within that of the server's configuration language. */
function quote(text: string): string {
  return JSON.stringify(text);
}

/** Public part of an identity's nkey; the seed is made if there is none. */
async function publicKey(seedFile: string): Promise<string> {
  const { createUser, fromSeed } = await import('nkeys.js');
  if (!existsSync(seedFile)) {
    const seed = createUser().getSeed();
    writeDurably(seedFile, `${Buffer.from(seed).toString('ascii')}\n`, 0o400);
  }
  const seed = Buffer.from(readFileSync(seedFile, 'utf8').trim(), 'ascii');
  return fromSeed(seed).getPublicKey();
}

/** Writes a file that is there as a whole or not at all, with its mode from the start. */
function writeDurably(path: string, text: string, mode: number): void {
  const temporary = `${path}.tmp`;
  const fd = openSync(temporary, 'w', 0o600);
  try {
    writeSync(fd, text);
    fsyncSync(fd);
  } finally {
    closeSync(fd);
  }
  chmodSync(temporary, mode);
  renameSync(temporary, path);
}
