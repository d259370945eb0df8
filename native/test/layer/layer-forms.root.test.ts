import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { lstatSync, mkdirSync, readFileSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { layerProgram, makeLayerTree, type LayerTree } from './layer-tree.js';
import { dir, file, hard, link, tar, xattr, type TarItem } from './tar-builder.js';

const DEVICE_1_3 = (1 << 8) | 3;
const digest = (bytes: Buffer): string =>
  `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

describe.each(['plain', 'sanitized'] as const)('teu-layer (%s) writes', (kind) => {
  let program: string;
  let tree: LayerTree;
  const at = (name: string): string => join(tree.root, name);
  const apply = (...items: TarItem[]): void => {
    const answer = tree.apply(tar(...items));
    expect(answer).toMatchObject({ status: 0, stderr: '' });
  };

  beforeAll(() => {
    program = layerProgram(kind);
  }, 600_000);

  beforeEach(() => {
    tree = makeLayerTree(program);
  });

  afterEach(() => tree.remove());

  it('files, directories, links and nodes with owner, mode and time', () => {
    apply(
      { ...dir('.', 0o751), uid: 5 },
      { ...dir('d', 0o1777), mtime: 1000 },
      { ...file('d/suid', 'text'), mode: 0o4755, uid: 70_000, gid: 3, pax: [['mtime', '12.25']] },
      link('d/link', '../nowhere'),
      hard('d/hard', 'd/suid'),
      { name: 'fifo', type: '6', mode: 0o600 },
      { name: 'null', type: '3', major: 1, minor: 3, mode: 0o666 },
      { name: 'missing/parents/f', data: '' },
    );
    expect(lstatSync(tree.root)).toMatchObject({ uid: 5, mode: 0o40751 });
    expect(lstatSync(at('d'))).toMatchObject({ mode: 0o41777, mtimeMs: 1_000_000 });
    const suid = { uid: 70_000, gid: 3, mode: 0o104755, size: 4, nlink: 2, mtimeMs: 12_250 };
    expect(lstatSync(at('d/suid'))).toMatchObject(suid);
    expect(lstatSync(at('d/hard')).ino).toBe(lstatSync(at('d/suid')).ino);
    expect(readlinkSync(at('d/link'))).toBe('../nowhere');
    expect(lstatSync(at('fifo')).isFIFO()).toBe(true);
    expect(lstatSync(at('null'))).toMatchObject({ rdev: DEVICE_1_3, mode: 0o20666 });
    expect(statSync(at('missing/parents')).mode).toBe(0o40755);
  });

  it('long names of PAX and GNU', () => {
    const long = `${'p'.repeat(120)}/${'q'.repeat(200)}`;
    apply(
      { name: 'short', pax: [['path', long]] },
      { name: '././@LongLink', type: 'L', data: `${long}2\0` },
      { name: 'cut' },
      { name: '././@LongLink', type: 'K', data: `${long}\0` },
      { name: 'hard', type: '1' },
    );
    expect(lstatSync(at(long)).nlink).toBe(2);
    expect(lstatSync(at(`${long}2`)).isFile()).toBe(true);
  });

  it('attributes of users and capabilities, and no others', () => {
    const capability = Buffer.from('0100000200040000000000000000000000000000', 'hex');
    apply(xattr('cap', 'security.capability', capability), xattr('u', 'user.note', 'hello'));
    const read = (name: string, key: string): string =>
      spawnSync(
        'python3',
        ['-c', `import os,sys;sys.stdout.write(os.getxattr("${at(name)}","${key}").hex())`],
        { encoding: 'utf8' },
      ).stdout;
    expect(read('cap', 'security.capability')).toBe(capability.toString('hex'));
    expect(Buffer.from(read('u', 'user.note'), 'hex').toString()).toBe('hello');
  });

  it('sparse files of PAX 0.0, 0.1 and 1.0', () => {
    const map10 = '2\n1048576\n3\n2097152\n3\n'.padEnd(512, '\0');
    const expected: [string, TarItem][] = [
      [
        'v00',
        {
          name: 'v00',
          data: 'abcdef',
          pax: [
            ['GNU.sparse.size', '3000000'],
            ['GNU.sparse.numblocks', '2'],
            ['GNU.sparse.offset', '1048576'],
            ['GNU.sparse.numbytes', '3'],
            ['GNU.sparse.offset', '2097152'],
            ['GNU.sparse.numbytes', '3'],
          ],
        },
      ],
      [
        'v01',
        {
          name: 'x',
          data: 'abcdef',
          pax: [
            ['GNU.sparse.name', 'v01'],
            ['GNU.sparse.size', '3000000'],
            ['GNU.sparse.map', '1048576,3,2097152,3'],
          ],
        },
      ],
      [
        'v10',
        {
          name: 'x',
          data: `${map10}abcdef`,
          pax: [
            ['GNU.sparse.major', '1'],
            ['GNU.sparse.minor', '0'],
            ['GNU.sparse.name', 'v10'],
            ['GNU.sparse.realsize', '3000000'],
          ],
        },
      ],
    ];
    apply(...expected.map(([, item]) => item), file('after'));
    const content = Buffer.alloc(3_000_000);
    content.write('abc', 1_048_576);
    content.write('def', 2_097_152);
    for (const [name] of expected) {
      expect(readFileSync(at(name)).equals(content)).toBe(true);
      expect(lstatSync(at(name)).blocks).toBeLessThan(100);
    }
    expect(readFileSync(at('after'), 'utf8')).toBe('after');
  });

  it.each(['gnu', 'posix', 'v7', 'ustar'])('what GNU tar writes as %s', (format) => {
    const source = join(tree.directory, 'source');
    mkdirSync(source);
    const script = `cd ${source} && mkdir -p a/b && echo one > a/b/f && ln a/b/f a/h && ln -s f a/b/l &&
      truncate -s 5M a/sparse && printf x | dd of=a/sparse bs=1 seek=3000000 conv=notrunc status=none &&
      mkfifo a/p && chmod 2755 a && touch -d '2001-02-03 04:05:06.789' a/b/f`;
    expect(spawnSync('sh', ['-ec', script]).status).toBe(0);
    const sparse = ['gnu', 'posix'].includes(format) ? ['--sparse'] : [];
    const options = ['--numeric-owner', ...sparse, `--format=${format}`, '-C', source, '-c', '.'];
    const fifo = format === 'v7' ? ['--exclude=p'] : [];
    const made = spawnSync('tar', [...fifo, ...options], { maxBuffer: 2 ** 25 });
    expect(made.status).toBe(0);
    expect(tree.apply(made.stdout)).toMatchObject({ status: 0 });
    const compared = spawnSync('tar', ['-C', tree.root, '-d'], {
      input: made.stdout,
      encoding: 'utf8',
    });
    expect(compared.stdout + compared.stderr).toBe('');
    if (sparse.length > 0) expect(lstatSync(at('a/sparse')).blocks).toBeLessThan(100);
  });

  it('the same from gzip and zstd, in one member or several, and says both digests', () => {
    const plain = tar(file('f', 'x'.repeat(100_000)), file('g'));
    const half = plain.length >> 1;
    const parts = [plain.subarray(0, half), plain.subarray(half)];
    const forms: [string, Buffer][] = [
      ['none', plain],
      ['gzip', gzipSync(plain)],
      ['gzip', Buffer.concat(parts.map((part) => gzipSync(part)))],
      ['zstd', zstdCompressSync(plain)],
      ['zstd', Buffer.concat(parts.map((part) => zstdCompressSync(part)))],
    ];
    for (const [compression, blob] of forms) {
      const answer = tree.apply(blob, '--compression', compression);
      const facts = { compression, digest: digest(blob), diffId: digest(plain), entries: 2 };
      expect(answer.result).toMatchObject({ ...facts, blobBytes: blob.length });
      expect(readdirSync(tree.root).sort()).toEqual(['f', 'g']);
    }
  });

  it('the same from a thousand gzip members, and from zstd between skippable frames', () => {
    const plain = tar(file('f', 'x'.repeat(100_000)));
    const size = Math.ceil(plain.length / 1000);
    const members = Array.from({ length: 1000 }, (_, at) =>
      gzipSync(plain.subarray(at * size, (at + 1) * size)),
    );
    // RFC 8878, 3.1.2: magic number, length, and as many bytes of anything.
    const skippable = Buffer.concat([Buffer.from('502a4d1804000000', 'hex'), Buffer.from('any!')]);
    const framed = Buffer.concat([skippable, zstdCompressSync(plain), skippable]);
    for (const blob of [Buffer.concat(members), framed]) {
      const answer = tree.apply(blob);
      expect(answer.result).toMatchObject({ digest: digest(blob), diffId: digest(plain) });
    }
  });

  it('a zstd stream with a window of 128 MiB, and nothing of one that asks for more', () => {
    const plain = tar(file('f'));
    // RFC 8878, 3.1.1: magic number, no options, window, and one raw block that is the last.
    const streamOf = (windowLog: number): Buffer => {
      const head = Buffer.from('28b52ffd0000000000', 'hex');
      head.writeUInt8((windowLog - 10) << 3, 5);
      head.writeUIntLE((plain.length << 3) | 1, 6, 3);
      return Buffer.concat([head, plain]);
    };
    expect(tree.apply(streamOf(27)).result).toMatchObject({ diffId: digest(plain) });
    expect(tree.apply(streamOf(28)).result['code']).toBe('BAD_COMPRESSION');
  });

  it('nothing of a blob that is damaged or is not what its media type says', () => {
    const plain = tar(file('f', 'x'.repeat(100_000)));
    const damaged: [Buffer, string][] = [
      [gzipSync(plain).subarray(0, -9), 'BAD_COMPRESSION'],
      [zstdCompressSync(plain).subarray(0, -3), 'BAD_COMPRESSION'],
      [Buffer.concat([gzipSync(plain), Buffer.from('garbage')]), 'BAD_COMPRESSION'],
      [Buffer.concat([zstdCompressSync(plain), Buffer.from('garbage')]), 'BAD_COMPRESSION'],
      [Buffer.from('BZh91AY&SY'.repeat(60)), 'BAD_TAR'],
    ];
    for (const [blob, code] of damaged) expect(tree.apply(blob).result['code']).toBe(code);
    const lies = tree.apply(gzipSync(plain), '--compression', 'zstd');
    expect(lies.result['code']).toBe('MEDIA_TYPE_MISMATCH');
  });
});

describe.each(['plain', 'sanitized'] as const)('teu-layer (%s) hides', (kind) => {
  let program: string;
  let tree: LayerTree;
  const names = (path = ''): string[] => readdirSync(join(tree.root, path)).sort();
  const layer = (...items: TarItem[]): void => {
    expect(tree.apply(tar(...items))).toMatchObject({ status: 0, stderr: '' });
  };

  beforeAll(() => {
    program = layerProgram(kind);
  }, 600_000);

  beforeEach(() => {
    tree = makeLayerTree(program);
    layer(dir('d'), file('d/one'), dir('d/sub'), file('d/sub/two'), file('top'), link('l', 'd'));
  });

  afterEach(() => tree.remove());

  it('a file, a tree, a link and what is not there', () => {
    layer(file('.wh.top'), file('.wh.d'), file('.wh.l'), file('.wh.gone'), file('no/.wh.where'));
    expect(names()).toEqual(['no']);
  });

  it('lower entries only, whether the whiteout comes before or after its namesake', () => {
    layer(file('.wh.top'), file('top', 'new'), file('d/one', 'new'), file('d/.wh.one'));
    expect(readFileSync(join(tree.root, 'top'), 'utf8')).toBe('new');
    expect(readFileSync(join(tree.root, 'd/one'), 'utf8')).toBe('new');
  });

  it.each(['first', 'last'])(
    'all lower entries of an opaque directory, the mark coming %s',
    (when) => {
      const mark = file('d/.wh..wh..opq');
      const own = [dir('d'), file('d/mine'), dir('d/sub'), file('d/sub/mine')];
      layer(...(when === 'first' ? [mark, ...own] : [...own, mark]));
      expect([names(), names('d'), names('d/sub')]).toEqual([
        ['d', 'l', 'top'],
        ['mine', 'sub'],
        ['mine'],
      ]);
    },
  );

  it('what is below a directory that this layer adds to, and keeps the addition', () => {
    layer(file('d/sub/mine'), file('.wh.d'));
    expect([names('d'), names('d/sub')]).toEqual([['sub'], ['mine']]);
  });

  it('entries reached by a link of the lower layer', () => {
    layer(file('l/.wh.one'), file('l/mine'));
    expect([names(), names('d')]).toEqual([
      ['d', 'l', 'top'],
      ['mine', 'sub'],
    ]);
    layer(file('d/.wh..wh..opq'), file('l/other'));
    expect(names('d')).toEqual(['other']);
  });

  it('a directory under a file, a file under a directory, a link under either', () => {
    layer(file('d', 'file'), dir('top'), file('top/f'), dir('l'));
    expect(readFileSync(join(tree.root, 'd'), 'utf8')).toBe('file');
    expect([names(), names('top'), names('l')]).toEqual([['d', 'l', 'top'], ['f'], []]);
  });
});
