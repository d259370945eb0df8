import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { makeTar } from '../testing/make-tar.js';
import { classifyTar } from './classify-archive.js';
import { tarMembers, type ReadAt, type TarMember } from './tar-members.js';

const reader =
  (bytes: Buffer): ReadAt =>
  (offset, length) =>
    Promise.resolve(bytes.subarray(offset, offset + length));
const kindOf = async (names: string[], isWhole = true) =>
  (await classifyTar(reader(makeTar(...names.map((name) => ({ name })))), isWhole)).kind;

describe('a tar', () => {
  it.each([
    [['oci-layout', 'index.json'], 'oci'],
    [['./oci-layout', './index.json', './manifest.json'], 'oci'],
    [['manifest.json', 'abc.json'], 'docker'],
    [['./etc/passwd', 'manifest.json'], 'rootfs'],
    [['usr', 'manifest.json'], 'rootfs'],
    [['hello'], 'rootfs'],
  ])('of %j is taken for %s', async (names, kind) => expect(await kindOf(names)).toBe(kind));

  it('of which only the beginning is seen may be anything', async () => {
    expect(await kindOf(['blobs/sha256/x'], false)).toBe('unknown');
    expect(await kindOf(['blobs/sha256/x', 'bin/sh'], false)).toBe('rootfs');
  });

  it('with a member twice is refused', async () => {
    await expect(kindOf(['manifest.json', './manifest.json'])).rejects.toThrow('member twice');
  });
});

describe('the members of a tar', () => {
  let directory: string;
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'teu-tar-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  it.each(['gnu', 'pax', 'ustar'])(
    'are found by place in what GNU tar writes as %s',
    async (format) => {
      const long = `${'d'.repeat(90)}/${'e'.repeat(90)}`;
      mkdirSync(join(directory, long), { recursive: true });
      writeFileSync(join(directory, long, 'f'), 'content');
      writeFileSync(join(directory, 'last'), 'last');
      const made = spawnSync('tar', [`--format=${format}`, '-C', directory, '-c', long, 'last']);
      const members: TarMember[] = await Array.fromAsync(tarMembers(reader(made.stdout)));
      const contents = members.map(({ name, offset, size }) => [
        name,
        made.stdout.subarray(offset, offset + size).toString(),
      ]);
      expect(contents).toEqual([
        [long, ''],
        [`${long}/f`, 'content'],
        ['last', 'last'],
      ]);
    },
  );

  it.each([
    ['a wrong checksum', (tar: Buffer) => tar.write('x', 0)],
    ['a size in base 256 beyond 2^53', (tar: Buffer) => tar.fill(0xff, 124, 136)],
  ])('are not read behind %s', async (_, spoil) => {
    const tar = makeTar({ name: 'f', data: 'x' });
    spoil(tar);
    await expect(Array.fromAsync(tarMembers(reader(tar)))).rejects.toThrow('at byte 0');
  });
});
