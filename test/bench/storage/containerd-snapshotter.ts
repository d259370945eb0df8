import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { HealthService } from '@teu/proto/grpc';
import { connect } from '@teu/rpc';
import { SnapshotsClient } from '@teu/snapshot-conformance';
import { startDaemon, stopDaemon } from '../harness/process.js';
import type { BenchFilesystem } from '../harness/filesystem.js';
import type { Subject } from './subject.js';

/** A snapshotter of Debian's containerd, asked over the same protocol as our drivers. */
export async function containerdSnapshotter(
  snapshotter: string,
  filesystem: BenchFilesystem,
): Promise<Subject> {
  const directory = join(filesystem.path, 'containerd');
  mkdirSync(directory);
  const socket = join(directory, 'containerd.sock');
  const configuration = join(directory, 'config.toml');
  writeFileSync(
    configuration,
    [
      'version = 2',
      `root = "${join(directory, 'root')}"`,
      `state = "${join(directory, 'state')}"`,
      'disabled_plugins = ["io.containerd.grpc.v1.cri"]',
      '[grpc]',
      `  address = "${socket}"`,
    ].join('\n'),
  );
  const daemon = await startDaemon('/usr/bin/containerd', ['--config', configuration], socket);
  const channel = connect(`unix:${socket}`, { headers: { 'containerd-namespace': 'bench' } });
  const ping = () =>
    channel.unary(HealthService.check, { service: '' }, { waitForReady: true, timeoutMs: 30_000 });
  await ping();
  return {
    name: `containerd ${snapshotter}`,
    client: new SnapshotsClient(channel, snapshotter),
    // Without it containerd takes a snapshot that no image or container names for garbage.
    labels: { 'containerd.io/gc.root': new Date(0).toISOString() },
    filesystem,
    ping,
    close: async () => {
      channel.close();
      await stopDaemon(daemon);
      await filesystem.close();
    },
  };
}
