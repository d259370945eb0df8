import { join } from 'node:path';
import type { Contender } from './contender.js';
import { pidsByCommand } from './memory.js';
import { capture, runToEnd, startDaemon, stopDaemon } from '../harness/process.js';

/** Docker without network and bridge, on overlay2, with its own containerd. */
export async function docker(directory: string, rootfsTar: string): Promise<Contender> {
  const host = `unix://${join(directory, 'docker.sock')}`;
  const daemon = await startDaemon(
    '/usr/sbin/dockerd',
    [
      ...['--host', host, '--data-root', join(directory, 'data')],
      ...['--exec-root', join(directory, 'exec'), '--pidfile', join(directory, 'docker.pid')],
      ...[
        '--bridge',
        'none',
        '--iptables=false',
        '--ip6tables=false',
        '--storage-driver',
        'overlay2',
      ],
    ],
    join(directory, 'docker.sock'),
  );
  const client = (...args: string[]) => ['--host', host, ...args];
  capture('/usr/bin/docker', client('import', rootfsTar, 'debian:bench'));
  const options = ['--network', 'none', 'debian:bench'];
  return {
    name: 'docker',
    how: 'docker run --rm --network none',
    run: () => runToEnd('/usr/bin/docker', client('run', '--rm', ...options, 'true')),
    idlePids: () => [daemon.pid ?? 0, ...pidsByCommand('containerd', directory)],
    supervisorPids: async () => {
      const before = new Set(pidsByCommand('containerd-shim', directory));
      capture(
        '/usr/bin/docker',
        client('run', '-d', '--name', 'memory', ...options, 'sleep', '60'),
      );
      return pidsByCommand('containerd-shim', directory).filter((pid) => !before.has(pid));
    },
    close: async () => {
      capture('/usr/bin/docker', client('rm', '-f', 'memory'));
      await stopDaemon(daemon);
    },
  };
}
