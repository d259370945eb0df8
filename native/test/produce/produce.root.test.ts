import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { treeProgram } from '../graft/graft-program.js';
import { layerProgram } from '../layer/layer-tree.js';
import { ProducedTrees, type Form } from './produced-trees.js';

const RANDOM = fileURLToPath(new URL('../graft/random-changes.py', import.meta.url));
/** What the storage drivers keep for themselves is in no layer. */
const STRIP = `find . -type f -exec python3 -c 'import os, sys
for path in sys.argv[1:]:
    if "trusted.b" in os.listxattr(path): os.removexattr(path, "trusted.b")' {} +`;
const BASE = `mkdir -p etc usr/lib && echo a > etc/a && ln etc/a etc/b && echo c > etc.conf && ln -s a etc/l
  mkdir -p var/gone/below && echo 1 > var/gone/one && echo z > usr/lib/z`;
const names = (trees: ProducedTrees, tar: string): string[] =>
  trees.sh(`tar tf '${tar}' --quoting-style=literal`).trimEnd().split('\n');

describe.runIf(process.getuid?.() === 0).each(['plain', 'sanitized'] as const)(
  'teu-layer produce, %s',
  { timeout: 120_000 },
  (kind) => {
    const program = layerProgram(kind);
    const tree = treeProgram();
    const withTrees = (form: Form, base: string, work: (trees: ProducedTrees) => void): void => {
      using trees = new ProducedTrees(program);
      trees.sh(base, 'old');
      trees.standOnOld(form);
      work(trees);
    };
    const layer = (trees: ProducedTrees, ...options: string[]): string => {
      const { status, result, tar } = trees.produce(['old', 'changed'], ...options);
      expect(result).toMatchObject({ diffId: expect.any(String) as string });
      expect(status).toBe(0);
      return tar;
    };
    const listing = (trees: ProducedTrees, name: string): string =>
      trees.inside(name, `${tree} hash . --list`);

    it.each([
      ['overlays', 1],
      ['copies', 2],
    ] as const)('%s: what is applied is what was there, seed %i', (form, seed) => {
      withTrees(form, `python3 ${RANDOM} ${seed} 250; ${STRIP}`, (trees) => {
        trees.inside('changed', `python3 ${RANDOM} ${seed + 100} 150; ${STRIP}`);
        const descends = form === 'overlays' ? ['--descends'] : [];
        const first = layer(trees, ...descends);
        const again = layer(trees, ...descends, '--max-depth', '99');
        expect(readFileSync(again).equals(readFileSync(first))).toBe(true);
        expect(trees.apply(first)).toMatchObject({ status: 0 });
        expect(listing(trees, 'applied')).toBe(listing(trees, 'changed'));
      });
    });

    it('writes what is changed below directories as they are, and whiteouts', () => {
      withTrees('overlays', BASE, (trees) => {
        trees.inside(
          'changed',
          `rm -r var/gone; rm etc.conf; chmod 600 usr/lib/z; mkdir -m 700 opt; echo n > opt/n; mkfifo opt/p
           python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("opt/s")'`,
        );
        expect(names(trees, layer(trees, '--descends'))).toEqual(
          ['.wh.etc.conf', 'opt/', 'opt/n', 'opt/p', 'usr/', 'usr/lib/', 'usr/lib/z'].concat([
            'var/',
            'var/.wh.gone',
          ]),
        );
      });
    });

    it('has all names of a file of which one is new', () => {
      withTrees('overlays', BASE, (trees) => {
        trees.inside('changed', 'ln usr/lib/z usr/z');
        const tar = layer(trees, '--descends');
        expect(names(trees, tar)).toEqual(['usr/', 'usr/lib/', 'usr/lib/z', 'usr/z']);
        expect(trees.sh(`tar tvf '${tar}'`)).toContain('usr/z link to usr/lib/z');
        trees.apply(tar);
        expect(listing(trees, 'applied')).toBe(listing(trees, 'changed'));
      });
    });

    it('leaves out what was made for mounts, if it is empty', () => {
      withTrees('copies', BASE, (trees) => {
        trees.sh('touch etc/hosts etc/hostname etc/new; mkdir dev sys; touch sys/x', 'changed');
        trees.sh('echo mine > etc/resolv.conf', 'changed');
        const paths = ['/etc/hosts', '/etc/hostname', '/etc/resolv.conf', '/dev', '/sys'];
        const options = paths.flatMap((path) => ['--excluded', path]);
        expect(names(trees, layer(trees, ...options))).toEqual([
          'etc/',
          'etc/new',
          'etc/resolv.conf',
          'sys/',
          'sys/x',
        ]);
      });
    });

    it('makes an empty layer of no change', () => {
      withTrees('overlays', BASE, (trees) => {
        const { result } = trees.produce(['old', 'changed'], '--descends');
        expect(result).toMatchObject({ entries: 0, tarBytes: 1024 });
      });
    });

    it.each([
      ['touch .wh.x', 'RESERVED_NAME'],
      ['mknod hole c 0 0', 'RESERVED_DEVICE'],
    ])('refuses in a layer, and not in a tar of a tree: %s', (command, code) => {
      withTrees('copies', BASE, (trees) => {
        trees.sh(command, 'changed');
        expect(trees.produce(['old', 'changed'])).toMatchObject({ status: 1, result: { code } });
        expect(trees.produce(['changed'], '--form', 'tree')).toMatchObject({ status: 0 });
      });
    });

    it.each([
      ['--max-bytes', '65536'],
      ['--max-entries', '3'],
      ['--max-depth', '2'],
    ])('keeps the limit %s', (...limit) => {
      withTrees('copies', BASE, (trees) => {
        trees.sh('mkdir -p a/b/c; head -c 80000 /dev/urandom > a/b/r', 'changed');
        const code = 'LIMIT_EXCEEDED';
        expect(trees.produce(['old', 'changed'], ...limit)).toMatchObject({ result: { code } });
      });
    });

    it.each([[['--form', 'other']], [['--excluded', 'x']], [['--nonsense', '1']]])(
      'refuses %j',
      (options) => {
        withTrees('copies', BASE, (trees) => {
          expect(trees.produce(['changed'], ...options)).toMatchObject({
            status: 2,
            result: { code: 'USAGE' },
          });
        });
      },
    );
  },
);
