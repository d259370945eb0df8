import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender } from './contender.js';
import { capture, runToEnd, startDaemon, stopDaemon } from '../harness/process.js';

/** containerd through its own client ctr, overlayfs snapshotter, no network. */
export async function containerd(directory: string, imageTar: string): Promise<Contender> {
  mkdirSync(directory, { recursive: true });
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
  const ctr = (...args: string[]) => ['--address', socket, ...args];
  capture('/usr/bin/ctr', ctr('image', 'import', '--base-name', 'bench', imageTar));
  const image = capture('/usr/bin/ctr', ctr('image', 'ls', '-q')).split('\n')[0] ?? '';
  let count = 0;
  return {
    name: 'ctr',
    how: 'ctr run --rm',
    run: () =>
      runToEnd('/usr/bin/ctr', ctr('run', '--rm', image, `bench${String((count += 1))}`, 'true')),
    idlePids: () => [daemon.pid ?? 0],
    close: () => stopDaemon(daemon),
  };
}
