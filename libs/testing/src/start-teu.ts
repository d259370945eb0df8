import { installRoot } from '@teu/config';
import { connect, type RpcChannel } from '@teu/rpc';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { expectNoLeaks, instanceName, leakSnapshot } from './leaks.js';
import { onFailure } from './on-failure.js';
import { instancePids, supervisorPids } from './processes.js';
import { runProgram, type ProgramResult, type RunOptions } from './run-program.js';
import { baseEnvironment } from './start-service.js';
import { removeTree, tempDir } from './temp-dir.js';

/** Process ids by name; a storage driver is there under its own. */
export interface TeuPids {
  [name: string]: number;
  resident: number;
  nats?: number;
  engine?: number;
  image?: number;
  overlay2?: number;
  cgroup?: number;
  executor?: number;
}

/** A whole engine of its own: NATS, all services, `bin/teu`. */
export interface TestTeu {
  readonly runDir: string;
  readonly dataDir: string;
  /** Path of `bin/teu`. */
  readonly bin: string;
  /** Environment with which `bin/teu` reaches this engine. */
  readonly env: Readonly<Record<string, string>>;
  /** Runs `bin/teu` with arguments. */
  teu(args: readonly string[], options?: Omit<RunOptions, 'env'>): Promise<ProgramResult>;
  /** A channel to a service, by the name of its socket ("engine", "overlay2", …). Closed by `stop`. */
  channel(name: string): RpcChannel;
  /** Process ids by name: the services, "nats", and "resident", which watches over them. */
  pids(): Promise<TeuPids>;
  /** All processes that are there without any container. */
  idlePids(): number[];
  /** Supervisors of its containers and execs. */
  supervisorPids(): number[];
  /** The end of each log. */
  logs(): string;
  /**
   * Takes it down and removes its directories.
   * @throws Error if `teu down` fails or leaves anything behind (which is then cleaned up)
   */
  stop(): Promise<void>;
}

/** How an engine is started. */
export interface StartTeuOptions {
  env?: Record<string, string>;
  /** More words for `teu up --detach`. */
  args?: readonly string[];
  /** Where its directories are made, which have to be on one file system; for sockets a short path. */
  parent?: string;
}

const UP_MS = 60_000;
const LOG_TAIL_BYTES = 8_192;

/** Brings an engine up in directories of its own. */
export async function startTeu(options: StartTeuOptions = {}): Promise<TestTeu> {
  const bin = join(installRoot(), 'bin/teu');
  if (!existsSync(bin)) throw new Error('bin/teu is missing: run "npm run setup"');
  const directory = tempDir(options.parent);
  const instance = { runDir: join(directory.path, 'run'), dataDir: join(directory.path, 'data') };
  const { runDir, dataDir } = instance;
  const env = {
    ...baseEnvironment(),
    TEU_RUN_DIR: runDir,
    TEU_DATA_DIR: dataDir,
    ...options.env,
  };
  const before = leakSnapshot(instance);
  const channels = new Map<string, RpcChannel>();
  const logs = (): string => logTails(join(dataDir, 'log'));
  const teu: TestTeu['teu'] = (args, more = {}) => runProgram(bin, args, { ...more, env });

  const stop = async (): Promise<void> => {
    for (const channel of channels.values()) channel.close();
    if (!existsSync(directory.path)) return;
    try {
      const down = await teu(['down'], { timeoutMs: UP_MS });
      if (down.code !== 0) throw new Error(`teu down: ${describe(down)}`);
      await expectNoLeaks(instance, before);
    } catch (cause) {
      throw new Error(`the engine did not go down cleanly; logs:\n${logs()}`, { cause });
    } finally {
      cleanUp(instance, directory.path);
    }
  };

  const up = await teu(['up', '--detach', ...(options.args ?? [])], { timeoutMs: UP_MS });
  if (up.code !== 0) {
    const text = `teu up: ${describe(up)}\n${logs()}`;
    await stop().catch(() => undefined);
    throw new Error(text);
  }
  onFailure('logs of the engine', logs);

  return {
    runDir,
    dataDir,
    bin,
    env,
    teu,
    channel: (name) => {
      const channel = channels.get(name) ?? connect(`unix:${join(runDir, `${name}.sock`)}`);
      channels.set(name, channel);
      return channel;
    },
    pids: async () => readPids(runDir),
    idlePids: () => Object.values(readPids(runDir)),
    supervisorPids: () => supervisorPids(instance),
    logs,
    stop,
  };
}

/** The part of `up.json` that tells who runs. */
interface UpFile {
  resident: { pid: number };
  services: { name: string; process?: { pid: number } }[];
}

function readPids(runDir: string): TeuPids {
  const up = JSON.parse(readFileSync(join(runDir, 'up.json'), 'utf8')) as UpFile;
  const services = up.services.flatMap(({ name, process: running }) =>
    running ? [[name, running.pid] as const] : [],
  );
  return { ...Object.fromEntries(services), resident: up.resident.pid };
}

/** Removes by force what a broken engine has left, so that the next test does not find it. */
function cleanUp(instance: { runDir: string; dataDir: string }, directory: string): void {
  for (const pid of instancePids(instance, instanceName(instance.dataDir))) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It has ended by itself.
    }
  }
  removeTree(directory);
}

function describe({ code, stdout, stderr }: ProgramResult): string {
  return `exit ${code}\n${stdout}${stderr}`;
}

function logTails(directory: string): string {
  if (!existsSync(directory)) return '(no logs)';
  return readdirSync(directory)
    .map((name) => {
      const text = readFileSync(join(directory, name), 'utf8');
      return `--- ${name}\n${text.slice(-LOG_TAIL_BYTES)}`;
    })
    .join('\n');
}
