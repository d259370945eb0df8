import { join } from 'node:path';
import { runToEnd, startDaemon, stopDaemon } from '../harness/process.js';
import { pidsByCommand } from '../start/memory.js';
import type { ImageContender } from './contender.js';

/** Docker with its own containerd, on overlay2. */
export const docker: ImageContender = {
  name: 'docker',
  how: 'docker load, pull, push, save (overlay2)',
  isDurable: false,
  open: async (directory) => {
    const socket = join(directory, 'd.sock');
    const daemon = await startDaemon(
      '/usr/sbin/dockerd',
      [
        ...['--host', `unix://${socket}`, '--data-root', join(directory, 'data')],
        ...['--exec-root', join(directory, 'exec'), '--pidfile', join(directory, 'd.pid')],
        ...['--bridge', 'none', '--iptables=false', '--ip6tables=false'],
        ...['--storage-driver', 'overlay2'],
      ],
      socket,
    );
    const run = (...args: string[]) =>
      runToEnd('/usr/bin/docker', ['--host', `unix://${socket}`, ...args]);
    let name = '';
    return {
      load: async (archive) => {
        await run('load', '-q', '-i', archive);
        name = 'bench:latest';
      },
      pull: async (wanted) => {
        await run('pull', '-q', wanted);
        name = wanted;
      },
      push: async (target) => {
        await run('tag', name, target);
        await run('push', '-q', target);
      },
      save: (file) => run('save', '-o', file, name),
      pids: () => [daemon.pid ?? 0, ...pidsByCommand('containerd', directory)],
      close: () => stopDaemon(daemon),
    };
  },
};
