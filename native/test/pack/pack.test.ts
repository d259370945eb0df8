import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const native = fileURLToPath(new URL('../../', import.meta.url));
const hexOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');

/** The program, or the one built with sanitizers: `make -f src/pack/rules.mk teu-pack-asan`. */
function packProgram(kind: 'plain' | 'sanitized'): string {
  const target = kind === 'plain' ? 'build/teu-pack' : 'dist/asan/teu-pack';
  const make = ['make', '-s', '-j2', '-f', 'src/pack/rules.mk', target];
  const made = spawnSync('flock', ['src/pack/rules.mk', ...make], {
    cwd: native,
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(`${target} cannot be built: ${made.stderr}`);
  return join(native, target);
}

describe.each(['plain', 'sanitized'] as const)('teu-pack (%s)', (kind) => {
  let program: string;
  let directory: string;
  // Compiling with sanitizers takes a while, the first time.
  beforeAll(() => {
    program = packProgram(kind);
  }, 600_000);
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'teu-pack-'));
  });
  afterEach(() => rmSync(directory, { recursive: true, force: true }));

  /** Writes blobs, runs a plan, and gives what came of it. */
  function pack(plan: Buffer | string, size: number, ...options: string[]) {
    const blobs = openSync(directory, 'r');
    const output = openSync(join(directory, 'output'), 'w');
    const { status, stdout, stderr } = spawnSync(
      program,
      ['--blobs-fd', '3', '--output-fd', '4', '--size', String(size), ...options],
      { input: plan, stdio: ['pipe', 'pipe', 'pipe', blobs, output], encoding: 'utf8' },
    );
    closeSync(blobs);
    closeSync(output);
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    return { status, stderr, lines, answer: lines.at(-1) };
  }

  function blob(bytes: Buffer, hex = hexOf(bytes)): string {
    writeFileSync(join(directory, hex), bytes);
    return `blob ${hex} ${bytes.length}\n`;
  }

  it('puts texts and blobs of any size after each other, and hashes the whole', () => {
    const large = Buffer.alloc(3 * 2 ** 20 + 17, 'large');
    const parts = [Buffer.from('head\n'), large, Buffer.alloc(0), Buffer.alloc(2 ** 20, 'text')];
    const [head = '', , , text = ''] = parts;
    const plan = `text 5\n${String(head)}${blob(large)}${blob(Buffer.alloc(0))}text ${text.length}\n${String(text)}`;
    const whole = Buffer.concat(parts);
    const packed = pack(plan, whole.length, '--file', '--progress-bytes', '1048576');
    expect(packed).toMatchObject({ status: 0, stderr: '' });
    expect(packed.answer).toEqual({ bytes: whole.length, digest: `sha256:${hexOf(whole)}` });
    expect(packed.lines.slice(0, -1).map(({ progress }) => progress)).toEqual(
      [1, 2, 3, 4].map((mebibytes) => mebibytes * 2 ** 20),
    );
    expect(readFileSync(join(directory, 'output')).equals(whole)).toBe(true);
  });

  it.each([
    ['other bytes', Buffer.from('other'), /^sha256:d9298a10/],
    ['fewer bytes', Buffer.from('byte'), /fewer/],
    ['more bytes', Buffer.from('bytes and more'), /more/],
  ])('refuses a blob of %s than its name says', (_, bytes, message) => {
    const hex = hexOf(Buffer.from('bytes'));
    writeFileSync(join(directory, hex), bytes);
    const { status, answer } = pack(`blob ${hex} 5\n`, 5, '--file');
    expect([status, answer?.['code'], answer?.['entry']]).toEqual([
      1,
      'DIGEST_MISMATCH',
      `sha256:${hex}`,
    ]);
    expect(answer?.['message']).toMatch(message);
  });

  it.each([
    ['a blob that is not there', `blob ${'0'.repeat(64)} 5\n`, 5, 'BLOB_MISSING'],
    ['a name that is a path', `blob ../${'0'.repeat(61)} 5\n`, 5, 'USAGE'],
    ['a word that is none', 'file x 5\n', 5, 'USAGE'],
    ['a size that is none', 'text five\nfive', 4, 'USAGE'],
    ['a text that is cut off', 'text 10\nfive', 10, 'USAGE'],
    ['a line that ends nowhere', 'text 10', 10, 'USAGE'],
    ['a line without end', 'x'.repeat(1000), 10, 'USAGE'],
    ['another size than was said', 'text 4\nfive', 5, 'USAGE'],
    ['more than the disk has room for', 'text 4\nfive', 2 ** 52, 'SYSCALL'],
  ])('fails for %s', (_, plan, size, code) => {
    const { status, answer } = pack(plan, size, '--file');
    expect(answer?.['code']).toBe(code);
    expect(status).toBe(code === 'USAGE' ? 2 : 1);
  });
});
