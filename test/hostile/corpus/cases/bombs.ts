import { gzipSync, zstdCompressSync } from 'node:zlib';
import { oci, OCI, digestOf, blobName, json, configOf } from '../hostile-archive.js';
import { harmless, refused, type HostileCase } from '../hostile-case.js';
import { file, memberBlocks, tar } from '../hostile-tar.js';
import { MAX_LAYER_BYTES, MAX_LAYER_ENTRIES } from '../limits.js';

const MEBIBYTE = 2 ** 20;
const zeros = Buffer.alloc(16 * MEBIBYTE);
const head = (size: number | Buffer): Buffer =>
  memberBlocks({ name: 'usr/zeros', size })[0] ?? zeros;
const tooLarge = { reason: 'LAYER_TOO_LARGE', code: 'LIMIT_EXCEEDED' } as const;
const invalid = (code: string) => ({ reason: 'LAYER_INVALID', code }) as const;

/** An image whose layer is this blob, of which nobody knows what it unpacks to. */
function blob(data: Buffer, compression: 'gzip' | 'zstd'): Buffer {
  const digest = digestOf(data);
  return oci([], {
    spoil: ({ manifest, config }) => {
      const mediaType = `${OCI}.layer.v1.tar+${compression}`;
      manifest.layers.push({ mediaType, digest, size: data.length });
      Object.assign(config, configOf([Buffer.alloc(0)]));
    },
    edit: (members) => (members[blobName(digest)] = data),
  });
}

/** So many times 16 MiB of zeros behind a header that announces them, in as many frames. */
function bomb(times: number, pack: (data: Buffer) => Buffer): Buffer {
  const frame = pack(zeros);
  return Buffer.concat([pack(head(times * zeros.length)), ...Array<Buffer>(times).fill(frame)]);
}

const skippable = Buffer.concat([
  Buffer.from('502a4d18', 'hex'),
  Buffer.from('00001000', 'hex'),
  Buffer.alloc(0x100000),
]);

/** The largest window that a frame's header can ask for (RFC 8878, 3.1.1.1.2), with an empty last block. */
const wideWindow = Buffer.from('28b52ffd00f8010000', 'hex');

function entries(count: number): Buffer {
  const part = memberBlocks(file('f', ''))[0] ?? zeros;
  return Buffer.concat([...Array<Buffer>(count).fill(part), Buffer.alloc(1024)]);
}

/** What is small outside and large inside, and what lies about its size. */
export const bombCases: readonly HostileCase[] = [
  refused('1 GiB of zeros in gzip', () => blob(bomb(64, gzipSync), 'gzip'), tooLarge),
  refused('100 GiB of zeros in zstd', () => blob(bomb(6400, zstdCompressSync), 'zstd'), tooLarge),
  refused(
    'a thousand members of gzip',
    () =>
      blob(Buffer.concat(Array<Buffer>(1000).fill(gzipSync(zeros.subarray(0, MEBIBYTE)))), 'gzip'),
    tooLarge,
  ),
  refused('a file of 8 GiB in its header', () => oci([head(0o77777777777)]), invalid('BAD_TAR')),
  refused(
    'one byte more than fits',
    () => oci([tar(file('usr/f', Buffer.alloc(MAX_LAYER_BYTES)))], { compression: 'gzip' }),
    tooLarge,
  ),
  refused(
    'one entry more than fits',
    () => oci([entries(MAX_LAYER_ENTRIES + 1)], { compression: 'gzip' }),
    tooLarge,
  ),
  refused(
    'a million entries',
    () =>
      blob(
        Buffer.concat(Array<Buffer>(1000).fill(gzipSync(entries(1000).subarray(0, -1024)))),
        'gzip',
      ),
    tooLarge,
  ),
  refused(
    'a zstd frame with a window of 3.75 TiB',
    () => blob(wideWindow, 'zstd'),
    invalid('BAD_COMPRESSION'),
  ),
  harmless(
    'skippable frames and nothing else',
    () => blob(Buffer.concat(Array<Buffer>(8).fill(skippable)), 'zstd'),
    'ls -A',
    '',
  ),
  refused(
    'gzip that is cut off',
    () => blob(gzipSync(tar(file('f'))).subarray(0, -6), 'gzip'),
    invalid('BAD_COMPRESSION'),
  ),
  refused(
    'gzip with a wrong check sum',
    () => {
      const data = gzipSync(tar(file('f')));
      data.writeUInt32LE(0, data.length - 8);
      return blob(data, 'gzip');
    },
    invalid('BAD_COMPRESSION'),
  ),
  refused(
    'zstd that is cut off',
    () => blob(zstdCompressSync(tar(file('f'))).subarray(0, -6), 'zstd'),
    invalid('BAD_COMPRESSION'),
  ),
  refused(
    'gzip with something behind it',
    () => blob(Buffer.concat([gzipSync(tar(file('f'))), Buffer.from('more')]), 'gzip'),
    invalid('BAD_COMPRESSION'),
  ),
  refused(
    'gzip that is said to be zstd',
    () => blob(gzipSync(tar(file('f'))), 'zstd'),
    invalid('MEDIA_TYPE_MISMATCH'),
  ),
  refused(
    'a bomb for the whole archive',
    () =>
      Buffer.concat([
        gzipSync(memberBlocks({ name: 'index.json', size: 64 * zeros.length })[0] ?? zeros),
        ...Array<Buffer>(64).fill(gzipSync(zeros)),
      ]),
    { reason: 'LAYER_TOO_LARGE' },
  ),
  refused('a bomb for a plain root file system', () => bomb(64, gzipSync), tooLarge),
  refused(
    'an index of indexes of indexes',
    () =>
      oci([tar(file('f'))], {
        edit: (members) => {
          let inner = JSON.parse(String(members['index.json'])) as { manifests: object[] };
          for (let depth = 0; depth < 6; depth += 1) {
            const data = json({ ...inner, mediaType: `${OCI}.index.v1+json` });
            members[blobName(digestOf(data))] = data;
            inner = {
              ...inner,
              manifests: [
                { mediaType: `${OCI}.index.v1+json`, digest: digestOf(data), size: data.length },
              ],
            };
          }
          members['index.json'] = json(inner);
        },
      }),
    { reason: 'IMAGE_INVALID', text: /nested too deeply/ },
  ),
];
