import {
  chmodSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const BUSYBOX = '/bin/busybox';
const APPLETS = [
  'sh',
  'true',
  'false',
  'cat',
  'echo',
  'ls',
  'ps',
  'sleep',
  'id',
  'hostname',
  'ip',
  'mount',
  'stat',
  'pwd',
  'kill',
  'stty',
  'readlink',
  'yes',
  'head',
  'dd',
  'test',
  'touch',
  'mkdir',
  'date',
  'ulimit',
  'grep',
  'umask',
  'wc',
  'tr',
  'seq',
];

/** A scratch directory for one test, with a small root file system in `root`; `dispose` removes both. */
export interface Scratch {
  directory: string;
  root: string;
  dispose(): void;
}

export function makeScratch(): Scratch {
  const directory = mkdtempSync(join(tmpdir(), 'teu-n-'));
  const root = join(directory, 'root');
  for (const path of ['bin', 'etc', 'proc', 'sys', 'dev', 'tmp']) {
    mkdirSync(join(root, path), { recursive: true });
  }
  copyFileSync(BUSYBOX, join(root, 'bin/busybox'));
  chmodSync(join(root, 'bin/busybox'), 0o755);
  for (const applet of APPLETS) symlinkSync('busybox', join(root, 'bin', applet));
  writeFileSync(
    join(root, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nweb:x:1000:1000::/home/web:/bin/sh\n',
  );
  writeFileSync(join(root, 'etc/group'), 'root:x:0:\nweb:x:1000:\nlogs:x:2000:web,root\n');
  mkdirSync(join(directory, 'state'));
  return {
    directory,
    root,
    dispose: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** The mounts on the host that lie in a directory; other tests make theirs at the same time. */
export function mountsBelow(directory: string): string[] {
  const mounts = readFileSync('/proc/self/mountinfo', 'utf8').trim().split('\n');
  return mounts.filter((line) => line.includes(directory));
}
