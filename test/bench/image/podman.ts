import { join } from 'node:path';
import { capture, runToEnd } from '../harness/process.js';
import { pidsByCommand } from '../start/memory.js';
import type { ImageContender } from './contender.js';

/** Podman, which has no daemon, on overlay. */
export const podman: ImageContender = {
  name: 'podman',
  how: 'podman load, pull, push, save (overlay)',
  isDurable: false,
  open: async (directory) => {
    const base = [
      ...['--root', join(directory, 'root'), '--runroot', join(directory, 'run')],
      ...['--storage-driver', 'overlay', '--tmpdir', join(directory, 'tmp')],
      ...['--events-backend', 'file', '--runtime', 'runc', '--cgroup-manager', 'cgroupfs'],
    ];
    const environment = { ...process.env, TMPDIR: directory };
    const run = (...args: string[]) => runToEnd('/usr/bin/podman', [...base, ...args], environment);
    let name = '';
    return {
      load: async (archive) => {
        await run('load', '-q', '-i', archive);
        name = 'localhost/bench:latest';
      },
      pull: async (wanted) => {
        await run('pull', '-q', '--tls-verify=false', wanted);
        name = wanted;
      },
      push: (target) => run('push', '-q', '--tls-verify=false', name, target),
      save: (file) => run('save', '-q', '-o', file, name),
      pids: () => pidsByCommand('podman', directory),
      close: async () => {
        capture('/usr/bin/podman', [...base, 'image', 'rm', '--all', '--force']);
      },
    };
  },
};
