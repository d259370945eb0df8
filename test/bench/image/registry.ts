import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { spawn } from 'node:child_process';
import { stopDaemon } from '../harness/process.js';

/** A registry at 127.0.0.1 without TLS, in a process of its own. */
export interface BenchRegistry {
  /** "127.0.0.1:<port>" */
  readonly host: string;
  close(): Promise<void>;
}

const START_MS = 15_000;

/** Starts Debian's docker-registry with an empty store in a directory. */
export async function startRegistry(directory: string): Promise<BenchRegistry> {
  const host = `127.0.0.1:${String(await freePort())}`;
  mkdirSync(directory, { recursive: true });
  const configuration = join(directory, 'config.yml');
  const lines = [
    ...['version: 0.1', 'log:', '  level: error', '  accesslog:', '    disabled: true', 'storage:'],
    ...['  filesystem:', `    rootdirectory: ${join(directory, 'data')}`],
    ...['http:', `  addr: ${host}`, '  secret: bench'],
  ];
  writeFileSync(configuration, lines.join('\n'));
  const daemon = spawn('/usr/bin/docker-registry', ['serve', configuration], { stdio: 'ignore' });
  const deadline = performance.now() + START_MS;
  for (;;) {
    const answer = await fetch(`http://${host}/v2/`).catch(() => undefined);
    if (answer?.ok === true) return { host, close: () => stopDaemon(daemon) };
    if (daemon.exitCode !== null || performance.now() > deadline) {
      await stopDaemon(daemon);
      throw new Error(`docker-registry does not answer at ${host}`);
    }
    await delay(20);
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}
