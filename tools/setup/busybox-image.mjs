// The first image, which needs no registry: an OCI image layout made from Debian's busybox-static.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, writeFileSync } from 'node:fs';
import { arch } from 'node:os';
import { dirname, join, posix } from 'node:path';
import { gzipSync } from 'node:zlib';
import { runProgram } from './run-program.mjs';
import { SetupFailure } from './step.mjs';
import { writeTar } from './tar-writer.mjs';

const busyboxPaths = ['/bin/busybox', '/usr/bin/busybox'];
const architectures = { x64: 'amd64', arm64: 'arm64', ia32: '386', arm: 'arm', riscv64: 'riscv64' };
const searchPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

const directories = [
  ...['bin/', 'dev/', 'etc/', 'home/', 'proc/', 'sbin/', 'sys/', 'usr/', 'usr/bin/', 'usr/sbin/'],
  ...['var/', 'var/log/'],
].map((path) => ({ path }));

const files = [
  { path: 'root/', mode: 0o700 },
  { path: 'tmp/', mode: 0o1777 },
  { path: 'var/tmp/', mode: 0o1777 },
  {
    path: 'etc/passwd',
    content:
      'root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\n' +
      'nobody:x:65534:65534:nobody:/home:/bin/false\n',
  },
  { path: 'etc/group', content: 'root:x:0:\ndaemon:x:1:\nnogroup:x:65534:\n' },
  { path: 'etc/hosts', content: '127.0.0.1 localhost\n::1 localhost\n' },
  { path: 'etc/nsswitch.conf', content: 'hosts: files dns\n' },
];

/** Makes the entries of the layer: busybox, a link per applet, and a few files. */
async function layerEntries(busybox) {
  const { stdout } = await runProgram(busybox, ['--list-full']);
  const applets = stdout.split('\n').filter((path) => path !== '' && path !== 'bin/busybox');
  const links = applets.map((path) => ({
    // Debian's build lists a few applets without a directory.
    path: path.includes('/') ? path : `bin/${path}`,
    link: posix.join(path.split('/').length > 2 ? '../..' : '..', 'bin/busybox'),
  }));
  return [
    ...directories,
    ...files,
    { path: 'bin/busybox', mode: 0o755, content: readFileSync(busybox) },
    ...links,
  ];
}

const digestOf = (bytes) => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

/** Makes the tar of an OCI image layout (image-spec, image-layout.md) with one image of one layer. */
function imageLayout(layer, created) {
  const blobs = [];
  const addBlob = (mediaType, bytes) => {
    const digest = digestOf(bytes);
    blobs.push({ path: `blobs/sha256/${digest.slice(7)}`, content: bytes });
    return { mediaType, digest, size: bytes.length };
  };
  const addJson = (mediaType, value) => addBlob(mediaType, Buffer.from(JSON.stringify(value)));
  const platform = { os: 'linux', architecture: architectures[arch()] ?? arch() };

  const layerBlob = addBlob(
    'application/vnd.oci.image.layer.v1.tar+gzip',
    gzipSync(layer, { level: 6 }),
  );
  const config = addJson('application/vnd.oci.image.config.v1+json', {
    created: created.toISOString(),
    ...platform,
    config: { Env: [`PATH=${searchPath}`], Cmd: ['sh'] },
    rootfs: { type: 'layers', diff_ids: [digestOf(layer)] },
    history: [{ created: created.toISOString(), created_by: 'busybox-static of Debian' }],
  });
  const manifest = addJson('application/vnd.oci.image.manifest.v1+json', {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.manifest.v1+json',
    config,
    layers: [layerBlob],
  });
  const index = {
    schemaVersion: 2,
    mediaType: 'application/vnd.oci.image.index.v1+json',
    manifests: [
      {
        ...manifest,
        platform,
        annotations: { 'org.opencontainers.image.ref.name': 'busybox:latest' },
      },
    ],
  };
  const seconds = Math.floor(created.getTime() / 1000);
  return writeTar(
    [
      { path: 'oci-layout', content: '{"imageLayoutVersion":"1.0.0"}' },
      { path: 'index.json', content: JSON.stringify(index) },
      { path: 'blobs/' },
      { path: 'blobs/sha256/' },
      ...blobs,
    ],
    seconds,
  );
}

/** Makes dist/images/busybox.tar unless it is there and newer than busybox. Returns what it did. */
export async function makeBusyboxImage(root) {
  const busybox = busyboxPaths.find((path) => existsSync(path));
  if (busybox === undefined) throw new SetupFailure('busybox-static has left no busybox in /bin');
  const output = join(root, 'dist/images/busybox.tar');
  const built = statSync(busybox);
  if (existsSync(output) && statSync(output).mtimeMs > built.ctimeMs) return undefined;

  const created = new Date(Math.floor(built.mtimeMs / 1000) * 1000);
  const layer = writeTar(await layerEntries(busybox), created.getTime() / 1000);
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(`${output}.new`, imageLayout(layer, created));
  renameSync(`${output}.new`, output);
  return 'dist/images/busybox.tar';
}
