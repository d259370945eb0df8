import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { onFailure } from './on-failure.js';
import { patient } from './patience.js';
import { tempDir } from './temp-dir.js';

/** How a registry is started. */
export interface StartRegistryOptions {
  /** PEM files: it speaks TLS. */
  tls?: { certificate: string; key: string; clientAuthority?: string };
  /** File in the format of htpasswd with bcrypt: it asks for user and password. */
  htpasswd?: string;
  /** It asks for tokens. */
  token?: { realm: string; service: string; issuer: string; rootCertificates: string };
}

/** Debian's docker-registry in a process and directory of its own. */
export interface TestRegistry {
  /** "127.0.0.1:<port>", as in image names. */
  readonly host: string;
  readonly pid: number;
  /** What it has logged so far. */
  logs(): string;
  stop(): Promise<void>;
}

const START_MS = 15_000;
/** The line of its log that tells of its address, complete. */
const LISTENING = /msg="listening on (127\.0\.0\.1:\d+)/;

/** Starts a registry and waits until it answers. */
export async function startRegistry(options: StartRegistryOptions = {}): Promise<TestRegistry> {
  const own = tempDir();
  const config = join(own.path, 'config.json');
  mkdirSync(join(own.path, 'data'));
  // JSON is YAML.
  writeFileSync(config, JSON.stringify(configuration(join(own.path, 'data'), options)));
  const child = spawn('docker-registry', ['serve', config], {
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', OTEL_TRACES_EXPORTER: 'none' },
  });
  const lines: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => lines.push(text));
  }
  const logs = (): string => lines.join('');
  onFailure('log of docker-registry', logs);
  const exited = once(child, 'exit');
  const stop = async (): Promise<void> => {
    child.kill('SIGKILL');
    await exited;
    own.remove();
  };
  const deadline = performance.now() + patient(START_MS);
  // It takes a port that is free, and says which.
  let host: string | undefined;
  while ((host = LISTENING.exec(logs())?.[1]) === undefined) {
    if (child.exitCode !== null || performance.now() > deadline) {
      await stop();
      throw new Error(`docker-registry does not serve; its log:\n${logs()}`);
    }
    await delay(20);
  }
  return { host, pid: child.pid ?? 0, logs, stop };
}

function configuration(data: string, options: StartRegistryOptions): object {
  const { tls, htpasswd, token } = options;
  return {
    version: '0.1',
    log: { level: 'info', accesslog: { disabled: false } },
    storage: { filesystem: { rootdirectory: data }, delete: { enabled: true } },
    http: {
      addr: '127.0.0.1:0',
      ...(tls === undefined
        ? {}
        : {
            tls: {
              certificate: tls.certificate,
              key: tls.key,
              ...(tls.clientAuthority === undefined ? {} : { clientcas: [tls.clientAuthority] }),
            },
          }),
    },
    ...(htpasswd === undefined ? {} : { auth: { htpasswd: { realm: 'test', path: htpasswd } } }),
    ...(token === undefined
      ? {}
      : {
          auth: {
            token: {
              realm: token.realm,
              service: token.service,
              issuer: token.issuer,
              rootcertbundle: token.rootCertificates,
            },
          },
        }),
  };
}
