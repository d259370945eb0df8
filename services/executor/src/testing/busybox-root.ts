import { chmodSync, copyFileSync, linkSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Debian's busybox-static. */
const BUSYBOX = '/usr/bin/busybox';
const APPLETS =
  'sh true false cat echo sleep id ls mkdir touch head tail seq kill ps grep stat hostname env stty dd mount umount ' +
  'readlink tr wc chroot unshare nproc date test yes sed find pwd';

/** Makes a root file system with busybox in it; `directory` must exist and be empty. */
export function makeBusyboxRoot(directory: string): string {
  for (const name of ['bin', 'etc', 'proc', 'sys', 'dev', 'tmp', 'root', 'home/user']) {
    mkdirSync(join(directory, name), { recursive: true });
  }
  const busybox = join(directory, 'bin/busybox');
  copyFileSync(BUSYBOX, busybox);
  chmodSync(busybox, 0o755);
  for (const applet of APPLETS.split(' ')) linkSync(busybox, join(directory, 'bin', applet));
  writeFileSync(
    join(directory, 'etc/passwd'),
    'root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:user:/home/user:/bin/sh\n',
  );
  writeFileSync(join(directory, 'etc/group'), 'root:x:0:\nuser:x:1000:\nextra:x:2000:user\n');
  return directory;
}
