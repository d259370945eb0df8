import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Contender } from './contender.js';
import { capture, runToEnd } from '../harness/process.js';

/** Podman without network, with its default runtime crun. */
export async function podman(directory: string, rootfsTar: string): Promise<Contender> {
  mkdirSync(directory, { recursive: true });
  const base = [
    ...['--root', join(directory, 'root'), '--runroot', join(directory, 'run')],
    ...['--runtime', 'crun', '--cgroup-manager', 'cgroupfs', '--events-backend', 'file'],
    ...['--storage-driver', 'overlay', '--tmpdir', join(directory, 'tmp')],
  ];
  capture('/usr/bin/podman', [...base, 'import', rootfsTar, 'localhost/debian:bench']);
  return {
    name: 'podman',
    how: 'podman run --rm --network none (crun)',
    run: () =>
      runToEnd('/usr/bin/podman', [
        ...base,
        ...[
          'run',
          '--rm',
          '--network',
          'none',
          '--ulimit',
          'nofile=1024:1024',
          '--ulimit',
          'nproc=1024:1024',
        ],
        ...['localhost/debian:bench', 'true'],
      ]),
    close: async () => {
      capture('/usr/bin/podman', [...base, 'image', 'rm', '--all', '--force']);
    },
  };
}
