import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { btrfsDisk, btrfsProgram, canMountBtrfs, converse } from './btrfs-conversation.js';

const BUILD = { timeout: 120_000 };
const MALFORMED = 'error EPROTO malformed-request ';

describe.each(['plain', 'sanitized'] as const)('teu-btrfs, %s', (kind) => {
  const program = (): string => btrfsProgram(kind);

  it('refuses what is no request, and no name of a subvolume', BUILD, async () => {
    const numbered = [
      'create',
      'create l',
      'create /',
      'create l/',
      'create /l',
      'create ../x',
      'create l/..',
      'create l/.hidden',
      'create l/a/b',
      'create l/A',
      `create l/${'a'.repeat(33)}`,
      'create l/a b',
      'snapshot l/a',
      'snapshot l/a l/b',
      'snapshot l/a ../b l/b',
      'snapshot l/a l/b ..',
      'limit l/a',
      'limit l/a -1',
      'limit l/a 1x',
      'limit l/a 18446744073709551616',
      'settle',
      'settle x',
      'sync now',
      'bogus l/a',
      'create l/\u0000',
      'create l/ü',
    ];
    const lines = numbered.map((line, index) => `${index + 1} ${line}\n`).join('');
    const without = '\n   \nx y z\n-1 sync\n99999999999999999999 sync\n1\n';
    const { answers, status, stderr } = await converse(
      program(),
      tmpdir(),
      lines + without,
      numbered.length + 6,
    );
    expect(stderr).toBe('');
    expect(status).toBe(0);
    expect(answers.filter((answer) => !answer.endsWith(MALFORMED))).toEqual([]);
  });

  it('gives up at a line without end, and ends with its input', BUILD, async () => {
    const endless = await converse(program(), tmpdir(), 'x'.repeat(70_000), 1);
    expect(endless).toEqual({ answers: [], status: 1, stderr: '' });
    expect(await converse(program(), tmpdir(), '', 0)).toMatchObject({ status: 0, stderr: '' });
    expect(await converse(program(), '/nowhere', '', 0)).toMatchObject({ status: 1 });
  });

  it.runIf(canMountBtrfs())('says which call failed it, at which step', BUILD, async () => {
    using disk = btrfsDisk();
    mkdirSync(join(disk.path, 'l/plain'), { recursive: true });
    writeFileSync(join(disk.path, 'l/file'), 'x');
    const lines = [
      'destroy l/plain',
      'usage l/none',
      'create x/a',
      'quota l/file',
      'create l/plain',
    ];
    const text = lines.map((line, index) => `${index} ${line}\n`).join('');
    const { answers } = await converse(program(), disk.path, text, lines.length);
    expect(answers).toEqual([
      '0 error EINVAL not-a-subvolume ',
      '1 error ENOENT openat ',
      '2 error ENOENT openat ',
      '3 error ENOTDIR openat ',
      '4 error EEXIST ioctl make subvolume',
    ]);
  });

  it.runIf(canMountBtrfs())('does many things at once', BUILD, async () => {
    using disk = btrfsDisk();
    const folders = ['l', 's0', 's1', 's2'];
    for (const folder of folders) mkdirSync(join(disk.path, folder));
    const ask = (lines: readonly string[]): ReturnType<typeof converse> => {
      const text = lines.map((line, index) => `${index} ${line}\n`).join('');
      return converse(program(), disk.path, text, lines.length);
    };
    const okay = async (lines: readonly string[]): Promise<string[]> => {
      const { answers, stderr } = await ask(lines);
      expect(stderr).toBe('');
      expect(answers.filter((answer) => !answer.includes(' ok'))).toEqual([]);
      return answers;
    };
    await okay(['create l/base']);
    expect(statSync(join(disk.path, 'l/base')).mode & 0o7777).toBe(0o755);
    writeFileSync(join(disk.path, 'l/base/file'), Buffer.alloc(100_000, 1));
    const names = Array.from({ length: 100 }, (_, index) => `l/s${index}`);
    await okay(names.map((name, index) => `snapshot l/base s${index % 3}/x${index} ${name}`));
    const taken = await ask(['snapshot l/base s0/a l/s1']);
    expect(taken.answers).toEqual(['0 error EEXIST renameat2 give the snapshot its name']);
    for (const folder of folders.slice(1)) expect(readdirSync(join(disk.path, folder))).toEqual([]);
    expect(readdirSync(join(disk.path, 'l'))).toHaveLength(101);
    const used = await okay(names.map((name) => `usage ${name}`));
    expect(new Set(used.map((answer) => answer.replace(/^\d+ /, '')))).toEqual(new Set(['ok 0 0']));
    expect(readFileSync(join(disk.path, 'l/s99/file'))).toHaveLength(100_000);
    await okay(names.map((name) => `limit ${name} 4194304`));
    const ids = (await okay(names.map((name) => `destroy ${name}`))).map(
      (answer) => answer.split(' ')[2] ?? '',
    );
    expect(await okay([`settle 10000 ${ids.join(' ')}`])).toEqual(['0 ok']);
    expect(readdirSync(join(disk.path, 'l'))).toEqual(['base']);
  });
});
