import { spawn } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import process from 'node:process';
import { installRoot } from '@teu/config';
import { DriverServiceService } from '@teu/proto/storage';
import { connect } from '@teu/rpc';
import { SnapshotsClient } from '@teu/snapshot-conformance';
import { stopDaemon } from '../harness/process.js';
import type { BenchFilesystem } from '../harness/filesystem.js';
import type { Subject } from './subject.js';

const READY_MS = 30_000;

/** One of our drivers as it is shipped: its own process, asked through its socket. */
export async function ownDriver(
  driver: string,
  filesystem: BenchFilesystem,
  flags: readonly string[] = [],
): Promise<Subject> {
  const root = join(filesystem.path, driver);
  const runDir = join(filesystem.path, `${driver}-run`);
  mkdirSync(runDir);
  const socket = join(runDir, `${driver}.sock`);
  const program = join(installRoot(), 'services/storage-driver/dist/main.mjs');
  const args = ['--driver', driver, '--root', root, '--address', `unix:${socket}`];
  const common = ['--run-dir', runDir, '--data-dir', filesystem.path, '--log-level', 'error'];
  const child = spawn(process.execPath, [program, ...args, ...common, ...flags], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const channel = connect(`unix:${socket}`);
  const ping = () =>
    channel.unary(DriverServiceService.getDriver, {}, { waitForReady: true, timeoutMs: READY_MS });
  await ping();
  return {
    name: driver,
    client: new SnapshotsClient(channel, driver),
    labels: {},
    filesystem,
    ping,
    close: async () => {
      channel.close();
      await stopDaemon(child);
      await filesystem.close();
    },
  };
}
