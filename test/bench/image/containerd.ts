import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { capture, runToEnd, startDaemon, stopDaemon } from '../harness/process.js';
import type { ImageContender } from './contender.js';

/** containerd through its own client ctr, on its overlayfs. */
export const containerd: ImageContender = {
  name: 'ctr',
  how: 'ctr image import, pull, push, export (overlayfs)',
  isDurable: false,
  open: async (directory) => {
    const socket = join(directory, 'c.sock');
    const configuration = join(directory, 'config.toml');
    mkdirSync(directory, { recursive: true });
    const lines = [
      ...['version = 2', `root = "${join(directory, 'root')}"`],
      ...[`state = "${join(directory, 'state')}"`],
      ...['disabled_plugins = ["io.containerd.grpc.v1.cri"]'],
      ...['[grpc]', `  address = "${socket}"`],
    ];
    writeFileSync(configuration, lines.join('\n'));
    const daemon = await startDaemon('/usr/bin/containerd', ['--config', configuration], socket);
    const words = (args: string[]) => ['--address', socket, 'image', ...args];
    const run = (...args: string[]) => runToEnd('/usr/bin/ctr', words(args));
    let name = '';
    return {
      load: async (archive) => {
        await run('import', '--base-name', 'bench', archive);
        name = capture('/usr/bin/ctr', words(['ls', '-q'])).split('\n')[0] ?? '';
      },
      pull: async (wanted) => {
        await run('pull', '--plain-http', wanted);
        name = wanted;
      },
      push: (target) => run('push', '--plain-http', target, name),
      save: (file) => run('export', file, name),
      pids: () => [daemon.pid ?? 0],
      close: () => stopDaemon(daemon),
    };
  },
};
