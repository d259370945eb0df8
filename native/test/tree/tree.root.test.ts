import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  cpSync,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryDirectory, treeProgram } from './tree-program.js';

/** Node has no call for extended attributes. `value` is in hexadecimal. */
const SET_ATTRIBUTE = `
import os, sys
os.setxattr(sys.argv[1], sys.argv[2], bytes.fromhex(sys.argv[3]), follow_symlinks=False)`;
const setAttribute = (path: string, name: string, value: string): void =>
  void execFileSync('/usr/bin/python3', ['-c', SET_ATTRIBUTE, path, name, value]);

/** A tree with one of everything. */
function makeTree(tree: string): void {
  mkdirSync(join(tree, 'etc/deep/er'), { recursive: true });
  writeFileSync(join(tree, 'etc/passwd'), 'root:x:0:0\n');
  writeFileSync(join(tree, 'etc.conf'), 'sorts between etc and what is in it, by bytes');
  writeFileSync(join(tree, 'etc/deep/er/file'), Buffer.alloc(200_000, 7));
  writeFileSync(Buffer.concat([Buffer.from(`${tree}/odd \n%=`), Buffer.from([0xff])]), 'odd');
  linkSync(join(tree, 'etc/passwd'), join(tree, 'same'));
  symlinkSync('/etc/passwd', join(tree, 'link'));
  execFileSync('mknod', [join(tree, 'null'), 'c', '1', '3']);
  execFileSync('mkfifo', [join(tree, 'pipe')]);
  writeFileSync(join(tree, 'set-id'), '#!');
  chownSync(join(tree, 'set-id'), 7, 8);
  chmodSync(join(tree, 'set-id'), 0o6755);
  setAttribute(join(tree, 'etc'), 'trusted.overlay.opaque', '79');
  setAttribute(join(tree, 'etc/passwd'), 'user.colour', '626c7565');
  setAttribute(
    join(tree, 'set-id'),
    'security.capability',
    '0100000202000000000000000000000000000000',
  );
}

describe.runIf(process.getuid?.() === 0).each(['plain', 'sanitized'] as const)(
  'teu-tree, %s',
  (kind) => {
    const teuTree = treeProgram(kind);

    const withTree = (work: (tree: string, manifest: string) => void): void => {
      using directory = temporaryDirectory();
      const tree = join(directory.path, 'tree');
      const manifest = join(directory.path, 'manifest');
      mkdirSync(tree);
      makeTree(tree);
      writeFileSync(manifest, `${teuTree('manifest', tree).lines.join('\n')}\n`);
      work(tree, manifest);
    };
    const findings = (...args: string[]): string[] => {
      const { status, lines, stderr } = teuTree(...args);
      expect(stderr).toBe('');
      expect(status).toBe(0);
      expect(lines.pop()).toMatch(/^end \d+ \d+$/);
      return lines;
    };

    it('finds nothing in a tree that is as it was', () => {
      withTree((tree, manifest) => {
        expect(findings('check', tree, manifest)).toEqual([]);
        expect(findings('check', tree, manifest, '--read-data', '--idle')).toEqual([]);
      });
    });

    it('names what is missing, extra, changed', () => {
      withTree((tree, manifest) => {
        rmSync(join(tree, 'etc/deep'), { recursive: true });
        mkdirSync(join(tree, 'etc/new/things'), { recursive: true });
        writeFileSync(join(tree, 'etc.conf'), 'other');
        rmSync(join(tree, 'pipe'));
        mkdirSync(join(tree, 'pipe'));
        rmSync(join(tree, 'same'));
        writeFileSync(join(tree, 'same'), 'root:x:0:0\n');
        expect(
          findings('check', tree, manifest).map((line) => line.split(' ').slice(0, 3)),
        ).toEqual([
          ['changed-attributes', 'found', '.'],
          ['changed-attributes', 'found', 'etc'],
          ['missing', 'found', 'etc/deep'],
          ['extra', 'found', 'etc/new'],
          ['changed-data', 'found', 'etc.conf'],
          ['changed-data', 'found', 'pipe'],
          ['changed-data', 'found', 'same'],
        ]);
      });
    });

    it('finds a flipped byte behind the same size and time only by reading', () => {
      withTree((tree, manifest) => {
        const path = join(tree, 'etc/deep/er/file');
        // Node sets times to the microsecond, so the manifest has to be one of such a time.
        utimesSync(path, 1, 1);
        writeFileSync(manifest, `${teuTree('manifest', tree).lines.join('\n')}\n`);
        const content = readFileSync(path);
        content[150_000] = 8;
        writeFileSync(path, content);
        utimesSync(path, 1, 1);
        expect(findings('check', tree, manifest)).toEqual([]);
        expect(findings('check', tree, manifest, '--read-data')).toEqual([
          'changed-data found etc/deep/er/file content%20is%20not%20that%20of%20the%20commit',
        ]);
      });
    });

    it('mends owner, mode, time and attributes, and nothing else', () => {
      withTree((tree, manifest) => {
        chownSync(join(tree, 'set-id'), 1, 1);
        chmodSync(join(tree, 'etc/passwd'), 0o666);
        utimesSync(join(tree, 'etc'), 1, 1);
        lutimesSync(join(tree, 'link'), 5, 5);
        setAttribute(join(tree, 'etc/passwd'), 'user.colour', '726564');
        setAttribute(join(tree, 'etc.conf'), 'user.new', '31');
        truncateSync(join(tree, 'etc/deep/er/file'), 1);
        const lines = findings('mend', tree, manifest);
        expect(lines.map((line) => line.split(' ').slice(0, 3).join(' '))).toEqual([
          'changed-attributes mended etc',
          'changed-data found etc/deep/er/file',
          'changed-attributes mended etc/passwd',
          'changed-attributes mended etc.conf',
          'changed-attributes mended link',
          'changed-attributes mended set-id',
        ]);
        expect(lines.at(-1)).toContain('owner%201:1%20instead%20of%207:8');
        expect(findings('check', tree, manifest)).toHaveLength(1);
        expect(lstatSync(join(tree, 'set-id')).mode & 0o7777).toBe(0o6755);
      });
    });

    it('refuses a manifest that is not whole', () => {
      withTree((tree, manifest) => {
        const text = readFileSync(manifest, 'latin1');
        for (const bad of [
          '',
          text.slice(0, -9),
          text.replace('0644', '0666'),
          text.slice(0, 200),
          'end \n',
        ]) {
          writeFileSync(manifest, bad, 'latin1');
          const { status, stderr } = teuTree('check', tree, manifest);
          expect(status).toBe(3);
          expect(JSON.parse(stderr)).toMatchObject({ code: 'DAMAGED_MANIFEST' });
        }
        writeFileSync(manifest, text, 'latin1');
        expect(teuTree('check', tree, manifest, '--digest', 'sha256:00').status).toBe(3);
        rmSync(manifest);
        expect(teuTree('check', tree, manifest).status).toBe(3);
      });
    });

    it('refuses lines that no manifest has, also under the right digest', () => {
      withTree((tree, manifest) => {
        const lines = [
          '',
          'x',
          'f',
          'f a',
          'f a 0644 0 0 1',
          'f a 0644 0 0 1.1',
          'd  0755 0 0 1.000000000',
        ];
        lines.push(
          'f a 9999 0 0 1.000000000',
          'f a% 0644 0 0 1.000000000',
          'f a%zz 0644 0 0 1.000000000',
        );
        for (const field of [
          'size=',
          'size=x',
          'size=99999999999999999999',
          'dev=1',
          'x=%',
          'y=1',
          '=',
        ]) {
          lines.push(`f a 0644 0 0 1.000000000 ${field}`);
        }
        for (const line of lines) {
          const body = `teu-tree-manifest 1\n#id=1\n${line}\n`;
          const digest = createHash('sha256').update(body).digest('hex');
          writeFileSync(manifest, `${body}end sha256:${digest} 1\n`);
          expect(teuTree('check', tree, manifest).status, line).toBe(3);
        }
      });
    });

    it('hashes what must be the same on every file system', () => {
      using directory = temporaryDirectory();
      const [one, other] = [join(directory.path, 'one'), join(directory.path, 'other')];
      mkdirSync(one);
      makeTree(one);
      execFileSync('cp', ['--archive', one, other]);
      const hash = (tree: string, ...flags: string[]): string | undefined =>
        teuTree('hash', tree, ...flags).lines[0];
      const before = hash(one);
      expect(before).toMatch(/^sha256:[0-9a-f]{64}$/);
      mkdirSync(join(other, 'etc/x'));
      rmSync(join(other, 'etc/x'), { recursive: true });
      expect(hash(other)).toBe(before);
      // Holes are zeros.
      writeFileSync(join(one, 'zeros'), Buffer.alloc(300_000));
      writeFileSync(join(other, 'zeros'), '');
      truncateSync(join(other, 'zeros'), 300_000);
      for (const tree of [one, other]) utimesSync(join(tree, 'zeros'), 1, 1);
      expect(hash(other)).toBe(hash(one));
      setAttribute(join(other, 'etc'), 'user.new', '31');
      expect(hash(other)).not.toBe(hash(one));
      expect(hash(other, '--no-xattrs')).toBe(hash(one, '--no-xattrs'));
      rmSync(join(other, 'same'));
      cpSync(join(other, 'etc/passwd'), join(other, 'same'), { preserveTimestamps: true });
      const { atime } = lstatSync(join(one, 'same'));
      for (const tree of [one, other]) utimesSync(join(tree, 'same'), atime, 3);
      utimesSync(join(other, 'etc/passwd'), atime, 3);
      const loose = ['--no-xattrs', '--no-hard-links'];
      expect(hash(other, ...loose)).toBe(hash(one, ...loose));
      expect(hash(other, '--no-xattrs')).not.toBe(hash(one, '--no-xattrs'));
    });

    it('measures as du does, also deeper than a path can say', () => {
      using directory = temporaryDirectory();
      const tree = join(directory.path, 'tree');
      mkdirSync(tree);
      makeTree(tree);
      let at = '';
      for (let depth = 0; depth < 30; depth += 1) {
        const name = 'd'.repeat(200);
        // Nested from the inside out: a path of all of them is too long for any call.
        mkdirSync(join(tree, 'outer'), { recursive: true });
        if (at !== '') renameSync(join(tree, at), join(tree, 'outer', at));
        renameSync(join(tree, 'outer'), join(tree, name));
        at = name;
      }
      const stdout = execFileSync('du', ['--summarize', '--block-size=1', tree], {
        encoding: 'utf8',
      });
      const bytes = Number.parseInt(stdout, 10);
      const [line = ''] = teuTree('usage', tree, '--exclusive').lines;
      expect(JSON.parse(line)).toEqual({ bytes, exclusive: bytes, inodes: 42 });
      expect(teuTree('manifest', tree).status).toBe(0);
    });

    it('digests a file byte by byte, and nothing that is none', () => {
      using directory = temporaryDirectory();
      const file = join(directory.path, 'file');
      for (const bytes of [Buffer.alloc(0), Buffer.alloc(3 << 20, 5), Buffer.from('text')]) {
        writeFileSync(file, bytes);
        const digest = `sha256:${createHash('sha256').update(bytes).digest('hex')}`;
        const { lines } = teuTree('digest', file, '--idle');
        expect(JSON.parse(lines[0] ?? '')).toEqual({ digest, bytes: bytes.length });
      }
      symlinkSync(file, join(directory.path, 'link'));
      execFileSync('mkfifo', [join(directory.path, 'pipe')]);
      const errors = ['link', 'pipe', '', 'none'].map((name) => {
        const { status, stderr } = teuTree('digest', join(directory.path, name));
        return [status, (JSON.parse(stderr) as { errnoName: string }).errnoName];
      });
      expect(errors).toEqual([
        [1, 'ELOOP'],
        [1, 'EINVAL'],
        [1, 'EINVAL'],
        [1, 'ENOENT'],
      ]);
    });

    it('tries what a directory keeps, and leaves nothing in it', () => {
      using directory = temporaryDirectory();
      expect(teuTree('probe', directory.path).lines).toEqual(['{"attributes":true}']);
      expect(readdirSync(directory.path)).toEqual([]);
      // A file system that keeps none and takes no files either.
      expect(JSON.parse(teuTree('probe', '/proc').stderr)).toMatchObject({
        step: 'make a file to try',
      });
    });

    it('fails by name', () => {
      const { status, stderr } = teuTree('hash', '/nowhere');
      expect(status).toBe(1);
      expect(JSON.parse(stderr)).toMatchObject({ code: 'SYSCALL', errnoName: 'ENOENT' });
      expect(teuTree('hash', '/tmp', '--no-such').status).toBe(2);
    });
  },
);
