import { spawnSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { graftProgram, treeProgram, Trees } from './graft-program.js';

const BASE = `
  mkdir -p etc/deep usr/lib var/gone/below && echo a > etc/a && echo b > etc/b && echo c > etc.conf
  echo z1 > usr/lib/z && ln -s usr/lib lib && ln etc/a etc/a2 && echo 1 > var/gone/one
  mkfifo pipe && mknod null c 1 3 && mknod disk b 7 9`;
/** Attributes of every kind that root can set. */
const setAttribute = (path: string, name: string, value: string): string =>
  `python3 -c 'import os; os.setxattr("${path}", "${name}", b"${value}", follow_symlinks=False)'`;
const CAPABILITY = `python3 -c 'import os
os.setxattr("etc/b", "security.capability", bytes.fromhex("0100000202000000000000000000000000000000"))'`;

describe.runIf(process.getuid?.() === 0).each(['plain', 'sanitized'] as const)(
  'teu-graft, %s',
  { timeout: 60_000 },
  (kind) => {
    const program = graftProgram(kind);
    const tree = treeProgram();

    /** Three trees that are the same: copies, or overlays on one of them. */
    const withTrees = (form: 'copies' | 'overlays', work: (trees: Trees) => void): void => {
      using trees = new Trees(program);
      trees.sh(BASE, 'old');
      if (form === 'copies') {
        trees.sh('cp -a old/. changed && cp -a old/. new');
      } else {
        trees.overlay('changed', 'old');
        trees.sh('cp -a old base');
        trees.overlay('new', 'base');
      }
      work(trees);
    };
    const listing = (trees: Trees, name: string): string =>
      trees.inside(name, `${tree} hash . --list --no-hard-links`);

    describe.each(['copies', 'overlays'] as const)('on %s', (form) => {
      it('finds nothing where nothing is, and changes nothing', () => {
        withTrees(form, (trees) => {
          expect([trees.compare(), trees.compare('--descends')]).toEqual([[], []]);
          const before = trees.sh('find new | sort');
          expect(trees.transplant('--descends')).toBe(0);
          expect(trees.sh('find new | sort')).toBe(before);
        });
      });

      it('tells added, removed, content and attributes, in the order of bytes', () => {
        withTrees(form, (trees) => {
          trees.inside(
            'changed',
            `echo A > etc/a; chmod 600 etc/b; touch -d @5 etc.conf; rm -r var/gone; mkdir -p opt/x
             echo 1 > opt/x/f; rm lib; ln -s elsewhere lib; rm pipe; mkdir pipe; echo i > pipe/in
             rm null; mknod null c 1 5; ${setAttribute('usr', 'trusted.own', 'v')}; echo > "etc/new
line"; chown 3:4 disk`,
          );
          for (const option of [[], ['--descends']]) {
            expect(trees.compare(...option)).toEqual([
              'attributes /disk',
              'attributes /etc.conf',
              'content /etc/a',
              ...(form === 'copies' ? ['content /etc/a2'] : []),
              'attributes /etc/b',
              'added /etc/new\nline',
              'content /lib',
              'content /null',
              'added /opt',
              'added /opt/x',
              'added /opt/x/f',
              'content /pipe',
              'added /pipe/in',
              'attributes /usr',
              'removed /var/gone',
            ]);
          }
        });
      });

      it('finds one byte behind the same size and time', () => {
        withTrees(form, (trees) => {
          trees.sh('touch -d @9 old/etc/b');
          trees.inside('changed', 'touch -d @9 etc/b; echo B > etc/b; touch -d @9 etc/b');
          expect(trees.compare()).toEqual(['content /etc/b']);
          expect(trees.compare('--descends')).toEqual(['content /etc/b']);
        });
      });

      it('carries everything over, so that the tree on its old base again is the same', () => {
        withTrees(form, (trees) => {
          trees.inside(
            'changed',
            `echo own > etc/a; rm -r var/gone; mkdir -p var/gone; echo own > var/gone/own; rm etc.conf
             ln -s /etc/../../../etc/shadow out; touch -h -d @3 out; chown -h 5:6 out; mknod c c 0 0 || true
             mknod hole b 1 1; mkdir -m 2750 dir; touch -d @4 dir; chmod 6755 etc/b; chown 7:8 etc/b
             chmod 6755 etc/b; ${CAPABILITY}; ${setAttribute('etc', 'user.x', 'y')}
             ${setAttribute('usr/lib', 'trusted.t', 'u')}
             truncate -s 5M sparse; echo end >> sparse; touch -d @6.123456789 sparse; echo > "$(printf "a\\377b")"
             python3 -c 'import socket; socket.socket(socket.AF_UNIX).bind("sock")'`,
          );
          trees.transplant('--descends');
          expect(listing(trees, 'new')).toBe(listing(trees, 'changed'));
          expect(trees.inside('new', 'stat -c %Y dir')).toBe('4\n');
          expect(Number(trees.inside('new', 'stat -c %b sparse'))).toBeLessThan(100);
        });
      });

      it('keeps what the new base has where nothing was written', () => {
        withTrees(form, (trees) => {
          trees.inside(
            'new',
            'echo z2 > usr/lib/z; echo bb > etc/b; mkdir -p opt/x; echo n > opt/x/n; rm etc/a2',
          );
          trees.inside(
            'changed',
            'chmod 600 etc/b; mkdir -p opt/x; echo o > opt/x/o; mkdir var/more; touch etc/deep/f',
          );
          trees.transplant('--descends');
          expect(
            trees.inside('new', 'cat usr/lib/z etc/b opt/x/n opt/x/o; stat -c %a etc/b; ls etc'),
          ).toBe('z2\nbb\nn\no\n600\na\nb\ndeep\n');
        });
      });

      it('lets what was written win over what the new base has under its name', () => {
        withTrees(form, (trees) => {
          trees.inside(
            'new',
            `rm etc/b; mkdir etc/b; echo in > etc/b/in; rm -r etc/deep; ln -s / etc/deep; rm usr/lib/z
             mkdir -p var/gone/new/new; mkdir srv; echo s > srv/s; rm etc.conf`,
          );
          trees.inside(
            'changed',
            'echo own > etc/b; echo 1 > etc/deep/f; chmod 700 usr/lib/z; rm -r var/gone; echo f > srv; chmod 600 etc.conf',
          );
          expect(trees.transplant('--descends')).toBe(7);
          expect(
            trees.inside(
              'new',
              'cat etc/b etc/deep/f usr/lib/z srv etc.conf; ls var; stat -c "%F %a" etc/deep',
            ),
          ).toBe('own\n1\nz1\nf\nc\ndirectory 755\n');
        });
      });

      it('keeps the names of one file together, and parts none that stand elsewhere', () => {
        withTrees(form, (trees) => {
          trees.inside(
            'changed',
            `mkdir many far; echo m > many/1; ln many/1 many/2; ln many/1 far/3; ln -s t sl; ln sl sl2
             cp -p etc/a t; mv t etc/a; chmod 640 etc/a`,
          );
          trees.transplant('--descends');
          expect(
            trees.inside('new', 'stat -c "%h" many/1 many/2 far/3 sl sl2; stat -c %a etc/a etc/a2'),
          ).toBe('3\n3\n3\n2\n2\n640\n644\n');
        });
      });

      it('keeps the times of directories that only it touches', () => {
        withTrees(form, (trees) => {
          trees.inside('new', 'touch -d @100 etc usr/lib var');
          trees.inside(
            'changed',
            'T=$(stat -c %y usr/lib); echo x > usr/lib/x; touch -d "$T" usr/lib; echo y > etc/y; touch -d @50 etc',
          );
          trees.transplant('--descends');
          expect(trees.inside('new', 'stat -c %Y etc usr/lib var')).toBe('50\n100\n100\n');
        });
      });

      it('takes paths of any length, and depths that no path can say', () => {
        withTrees(form, (trees) => {
          const deep = `python3 -c '
import os
for level in range(300):
    os.mkdir("d" * 100); os.chdir("d" * 100)
open("bottom", "w").write("deep"); os.link("bottom", "link")'`;
          trees.inside('changed', `mkdir top && cd top && ${deep}`);
          // Names are told up to 16 KiB.
          expect(trees.compare().length).toBe(163);
          expect(trees.transplant('--descends')).toBe(303);
          const digest = (name: string) => trees.inside(name, `${tree} hash .`);
          expect(digest('new')).toBe(digest('changed'));
          if (form === 'overlays') return;
          trees.sh('mv old swap; mv changed old; mv swap changed');
          expect([trees.compare(), trees.transplant()]).toEqual([['removed /top'], 1]);
          expect(digest('new')).toBe(digest('changed'));
        });
      });
    });

    it.each([1, 2, 3, 4])('makes the same tree of any changes (seed %i)', (seed) => {
      for (const form of ['copies', 'overlays'] as const) {
        withTrees(form, (trees) => {
          trees.sh(`python3 '${RANDOM}' ${seed} 150`, 'old');
          if (form === 'copies') trees.sh('rm -rf changed new; cp -a old changed; cp -a old new');
          else trees.sh('rm -rf base; cp -a old base');
          trees.inside('changed', `python3 ${RANDOM} ${seed + 100} 150`);
          trees.transplant();
          expect(listing(trees, 'new')).toBe(listing(trees, 'changed'));
        });
      }
    });

    it('takes links for what they are, wherever they lead', () => {
      withTrees('copies', (trees) => {
        trees.sh('mkdir canary && echo alive > canary/file');
        const canary = trees.at('canary');
        trees.sh(`rm -r etc && ln -s '${canary}' etc && ln -s / root && ln -s . self`, 'new');
        trees.sh(
          'echo own > etc/file; rm etc/b; mkdir -p self/x root/x; echo 1 > self/x/1',
          'changed',
        );
        trees.transplant();
        expect(trees.sh('ls -A canary; cat canary/file')).toBe('file\nalive\n');
        expect(trees.sh('cat new/etc/file new/self/x/1')).toBe('own\n1\n');
      });
    });

    it('says what failed and where, and what it was asked wrongly', () => {
      withTrees('copies', (trees) => {
        const plain = trees.run('transplant', ['old', 'changed']);
        expect([plain.status, plain.result['code']]).toEqual([2, 'USAGE']);
        const missing = trees.sh('mv new elsewhere; true');
        expect(missing).toBe('');
        expect(trees.run('transplant', ['old', 'changed', 'new'])).toMatchObject({
          status: 1,
          result: { code: 'SYSCALL', step: "perform the driver's mounts", errnoName: 'ENOENT' },
        });
      });
    });

    it('fills no disk beyond its end, and says so', () => {
      withTrees('copies', (trees) => {
        trees.sh('head -c 3M /dev/urandom > large', 'changed');
        const script = `mount -t tmpfs -o size=1m none new && cp -a old/. new && exec ${program} transplant --cage cage`;
        const mount = (name: string) => `--tree ${name} --mount bind ${trees.at(name)} '' 4096 ''`;
        const all = ['old', 'changed', 'new'].map(mount).join(' ');
        const ran = spawnSync('unshare', ['-m', 'sh', '-c', `${script} ${all}`], {
          ...{
            cwd: trees.path,
            encoding: 'utf8',
            env: { ...process.env, ASAN_OPTIONS: 'detect_leaks=0' },
          },
        });
        expect(JSON.parse(ran.stdout)).toMatchObject({ entry: '/large', errnoName: 'ENOSPC' });
      });
    });
  },
);

const RANDOM = new URL('random-changes.py', import.meta.url).pathname;
