import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { NatsIdentity } from '../identities.js';
import { writeNatsConfig } from '../nats-config.js';

/** A real nats-server with this library's configuration, for tests. */
export interface TestNats {
  /** Same address over all restarts. */
  readonly url: string;
  /** Process id of the server that was started last. */
  readonly pid: number;
  /** Seed file of an identity. */
  seedFile(identity: string): string;
  /** SIGKILL; resolves when it is gone. */
  kill(): Promise<void>;
  /** Starts it again, with the data it had. */
  start(): Promise<void>;
  /** SIGSTOP: connections stand and nobody answers. */
  suspend(): void;
  resume(): void;
  /** Ends it and removes its files. */
  stop(): Promise<void>;
}

/** What `startNats` takes. */
export interface StartNatsOptions {
  identities?: readonly NatsIdentity[];
  /** False: writes the configuration and picks the port, but starts nothing. */
  running?: boolean;
}

const SERVER = '/usr/sbin/nats-server';
/** An end for a server that hangs; one that ends is not waited for. */
const START_MS = 60_000;

/** Starts a server in a directory of its own, on a free port. */
export async function startNats(options: StartNatsOptions = {}): Promise<TestNats> {
  // A missing package is a broken machine, not a reason to skip.
  if (!existsSync(SERVER)) throw new Error('nats-server is not installed (Debian: nats-server)');
  const directory = mkdtempSync(join(tmpdir(), 'teu-nats-'));
  const paths = { dir: join(directory, 'run'), dataDir: join(directory, 'data') };
  const configure = (port: number) =>
    writeNatsConfig({
      ...paths,
      port,
      ...(options.identities && { identities: options.identities }),
    });

  // The server picks the port the first time and keeps it from then on.
  const { configFile, seedFile } = await configure(-1);
  let child = launch(configFile);
  const port = await eventually(child, () => readPort(paths.dir));
  await configure(port);
  const kill = async (): Promise<void> => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    child.kill('SIGKILL');
    await gone;
  };
  const start = async (): Promise<void> => {
    child = launch(configFile);
    await eventually(child, () => accepts(port));
  };
  if (options.running === false) await kill();
  return {
    url: `nats://127.0.0.1:${port}`,
    get pid() {
      return child.pid ?? 0;
    },
    seedFile,
    kill,
    start,
    suspend: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    stop: async () => {
      await kill();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

function launch(configFile: string): ChildProcess {
  return spawn(SERVER, ['--config', configFile], { stdio: 'ignore' });
}

/** The server writes `nats-server_<pid>.ports` once it listens. */
function readPort(dir: string): number | undefined {
  const file = readdirSync(dir).find((name) => name.endsWith('.ports'));
  const text = file === undefined ? '' : readFileSync(join(dir, file), 'utf8');
  const port = /127\.0\.0\.1:(\d+)/.exec(text)?.[1];
  return port === undefined ? undefined : Number(port);
}

/** Tells whether a server greets on the port; undefined if not. */
function accepts(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const end = (answer: true | undefined): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.once('data', () => end(true));
    socket.once('error', () => end(undefined));
  });
}

/** Looks until a server that is starting shows something. @throws Error if it ends or hangs */
async function eventually<T>(
  server: ChildProcess,
  probe: () => T | undefined | Promise<T | undefined>,
): Promise<T> {
  const deadline = performance.now() + START_MS;
  for (;;) {
    const result = await probe();
    if (result !== undefined) return result;
    const hasEnded = server.exitCode !== null || server.signalCode !== null;
    if (hasEnded || performance.now() > deadline) throw new Error('nats-server has not started');
    await delay(10);
  }
}
