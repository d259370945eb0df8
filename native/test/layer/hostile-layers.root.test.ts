import {
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { gzipSync, zstdCompressSync } from 'node:zlib';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { REFUSED } from './hostile-list.js';
import { layerProgram, makeLayerTree, type LayerTree } from './layer-tree.js';
import { dir, file, link, member, tar } from './tar-builder.js';

const CANARY = 'untouched';

describe.each(['plain', 'sanitized'] as const)('teu-layer (%s)', (kind) => {
  let program: string;
  let tree: LayerTree;

  // Compiling with sanitizers takes a minute, the first time.
  beforeAll(() => {
    program = layerProgram(kind);
  }, 600_000);

  beforeEach(() => {
    tree = makeLayerTree(program);
    writeFileSync(join(tree.directory, 'canary'), CANARY);
  });

  afterEach(() => tree.remove());

  it.each(REFUSED)('refuses %s', (_, layers, code, entry) => {
    const answers = layers.map((items) => tree.apply(tar(...items)));
    expect(answers.at(-1)).toMatchObject({ status: 1, stderr: '', result: { code, entry } });
    expect(readFileSync(join(tree.directory, 'canary'), 'utf8')).toBe(CANARY);
    expect(existsSync(join(tree.directory, 'x'))).toBe(false);
    expect(readdirSync('/')).not.toContain('x');
  });

  it('follows a lower layer’s link, but inside the tree only', () => {
    mkdirSync(join(tree.directory, 'outside'));
    const outside = join(tree.directory, 'outside');
    expect(
      tree.apply(tar(link('abs', outside), link('up', '../../../etc'), dir('d'))),
    ).toMatchObject({
      status: 0,
    });
    expect(tree.apply(tar(file('abs/planted'), file('up/planted')))).toMatchObject({ status: 0 });
    expect(readdirSync(outside)).toEqual([]);
    expect(existsSync('/etc/planted')).toBe(false);
    expect(readFileSync(join(tree.root, outside, 'planted'), 'utf8')).toBe('abs/planted');
    expect(readFileSync(join(tree.root, 'etc/planted'), 'utf8')).toBe('up/planted');
  });

  it('never changes what a link points to', () => {
    const target = join(tree.directory, 'canary');
    const items = [link('l', target), { ...file('l', 'mine'), mode: 0o4777, uid: 7 }];
    expect(tree.apply(tar(...items))).toMatchObject({ status: 0 });
    expect(readFileSync(target, 'utf8')).toBe(CANARY);
    expect(lstatSync(target).uid).toBe(0);
    expect(lstatSync(join(tree.root, 'l'))).toMatchObject({ uid: 7, size: 4 });
  });

  it('stops at its limits', () => {
    const big = { name: 'zeros', data: Buffer.alloc(4 * 2 ** 20) };
    const code = { status: 1, result: { code: 'LIMIT_EXCEEDED' } };
    expect(tree.apply(tar(big), '--max-bytes', String(2 ** 20))).toMatchObject(code);
    expect(tree.apply(tar(file('a'), file('b')), '--max-entries', '1')).toMatchObject(code);
    for (const bomb of [gzipSync(tar(big)), zstdCompressSync(tar(big))]) {
      expect(tree.apply(bomb, '--ratio-floor', '1048576', '--max-ratio', '100')).toMatchObject(
        code,
      );
    }
  });

  it('refuses a tar that is cut off, wherever', () => {
    const whole = tar({ name: 'f', data: 'x'.repeat(3000), pax: [['comment', 'c'.repeat(600)]] });
    for (const length of [100, 600, 1100, 1700, 2100, 3000, 4700]) {
      const answer = tree.apply(whole.subarray(0, length));
      expect([length, answer.result['code']]).toEqual([length, 'BAD_TAR']);
    }
  });

  it('refuses damage at any byte of a header, or reads it as something harmless', () => {
    const [head = Buffer.alloc(0)] = member(file('f'));
    for (let at = 0; at < 512; at += 7) {
      const damaged = Buffer.from(tar(file('f')));
      damaged[at] = (damaged[at] ?? 0) ^ 0x55;
      // Bytes 148 to 156 are the checksum itself; its last two are padding.
      if (at < 154 || at > 155) expect(tree.apply(damaged).result['code']).toBe('BAD_TAR');
    }
    expect(head.length).toBe(512);
  });
});
