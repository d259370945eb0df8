import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { canMountUnions, put, TestUnion, unionProgram } from './union-program.js';

const script = (path: string, word: string): void => {
  put(path, `#!/bin/sh\necho ${word}\n`);
  chmodSync(path, 0o755);
};

describe.runIf(canMountUnions()).each(['plain', 'sanitized'] as const)('branches, %s', (kind) => {
  const program = unionProgram(kind);

  it('are replaced under what is running', async () => {
    await using union = new TestUnion(program);
    script(union.at('base/bin/tool'), 'old');
    script(union.at('other/bin/tool'), 'new');
    put(union.at('base/etc/conf'), 'old');
    put(union.at('other/etc/conf'), 'newer');
    put(union.at('other/etc/added'), 'added');
    put(union.at('base/etc/dropped'), 'dropped');
    put(union.at('top/etc/layer'), 'layer');
    union.mount('rw=rw', 'top=ro+wh', 'base=ro+wh');
    const inside = (...names: string[]): string => join(union.root, ...names);
    // What the kernel has cached: names, absent names, attributes, listings, an open file.
    expect(execFileSync(inside('bin/tool'), { encoding: 'utf8' })).toBe('old\n');
    expect(existsSync(inside('etc/added'))).toBe(false);
    expect(readdirSync(inside('etc')).sort()).toEqual(['conf', 'dropped', 'layer']);
    expect(statSync(inside('etc/conf')).size).toBe(3);
    writeFileSync(inside('etc/own'), 'own');
    const open = openSync(inside('etc/conf'), 'r');

    const list = `rw=${union.at('rw')} ro+wh=${union.at('top')} ro+wh=${union.at('other')}`;
    expect(await union.ask(`set ${list}`)).toBe('ok');
    expect(await union.ask('branches')).toBe(`ok ${list}`);
    expect(execFileSync(inside('bin/tool'), { encoding: 'utf8' })).toBe('new\n');
    expect(readFileSync(inside('etc/added'), 'utf8')).toBe('added');
    expect(existsSync(inside('etc/dropped'))).toBe(false);
    expect(readdirSync(inside('etc')).sort()).toEqual(['added', 'conf', 'layer', 'own']);
    expect(statSync(inside('etc/conf')).size).toBe(5);
    expect(readFileSync(inside('etc/conf'), 'utf8')).toBe('newer');
    expect(readFileSync(open, 'utf8')).toBe('old');
    closeSync(open);
    // A change of the new one is copied up from the new one.
    writeFileSync(inside('etc/conf'), '!', { flag: 'a' });
    expect(readFileSync(union.at('rw/etc/conf'), 'utf8')).toBe('newer!');
    expect(readFileSync(union.at('base/etc/conf'), 'utf8')).toBe('old');
  });

  it('are replaced under what is mounted in the union', async () => {
    await using union = new TestUnion(program);
    for (const layer of ['base', 'other']) {
      put(union.at(layer, 'etc/hosts'), layer);
      mkdirSync(union.at(layer, 'proc'));
    }
    put(union.at('bound'), 'bound');
    union.mount('rw=rw', 'base=ro+wh');
    const hosts = join(union.root, 'etc/hosts');
    expect(readFileSync(hosts, 'utf8')).toBe('base');
    execFileSync('mount', ['--bind', union.at('bound'), hosts]);
    execFileSync('mount', ['-t', 'tmpfs', 'none', join(union.root, 'proc')]);
    try {
      expect(await union.ask(`set rw=${union.at('rw')} ro+wh=${union.at('other')}`)).toBe('ok');
      expect(readFileSync(hosts, 'utf8')).toBe('bound');
      writeFileSync(join(union.root, 'proc/file'), '');
      expect(existsSync(union.at('rw/proc'))).toBe(false);
    } finally {
      execFileSync('umount', [hosts, join(union.root, 'proc')]);
    }
    expect(readFileSync(hosts, 'utf8')).toBe('other');
  });

  it('are added, removed and changed one by one, but for the last that can be written to', async () => {
    await using union = new TestUnion(program);
    put(union.at('base/file'), 'base');
    put(union.at('other/file'), 'other');
    union.mount('rw=rw', 'base=ro+wh');
    const file = join(union.root, 'file');
    const rw = union.at('rw');
    const shown = (): string => readFileSync(file, 'utf8');
    expect(shown()).toBe('base');
    expect(await union.ask(`add 1 ro=${union.at('other')}`)).toBe('ok');
    expect(shown()).toBe('other');
    expect(await union.ask(`del ${union.at('other')}`)).toBe('ok');
    expect(shown()).toBe('base');
    for (const request of [
      `del ${rw}`,
      `mod ro=${rw}`,
      `set ro=${rw}`,
      `set rw=${union.at('top')}`,
    ]) {
      expect(await union.ask(request)).toMatch(/^error EBUSY /);
    }
    expect(await union.ask(`add 0 rw=${union.at('top')}`)).toBe('ok');
    expect(await union.ask(`mod ro+wh=${rw}`)).toBe('ok');
    writeFileSync(file, 'changed');
    expect(readFileSync(union.at('top/file'), 'utf8')).toBe('changed');
    expect(await union.ask('add 9 ro=/nowhere')).toMatch(/^error EINVAL /);
    expect(await union.ask('add 0 ro=/nowhere')).toBe('error ENOENT open open the branch');
    expect(await union.ask(`del ${union.at('nowhere')}`)).toMatch(/^error ENOENT /);
    for (const request of ['set', 'set x=/', 'set ro=%zz', 'reval maybe', 'fly', 'ping x']) {
      expect(await union.ask(request)).toMatch(/^error (EPROTO|EINVAL) /);
    }
  });

  it('that others have changed are seen after refresh, or at once with reval', async () => {
    await using union = new TestUnion(program);
    put(union.at('base/dir/file'), 'one');
    union.mount('rw=rw', 'base=ro+wh');
    const file = join(union.root, 'dir/file');
    const fresh = join(union.root, 'dir/fresh');
    const replace = (text: string): void => {
      writeFileSync(union.at('base/dir/.new'), text);
      renameSync(union.at('base/dir/.new'), union.at('base/dir/file'));
    };
    expect([readFileSync(file, 'utf8'), existsSync(fresh)]).toEqual(['one', false]);
    replace('second');
    writeFileSync(union.at('base/dir/fresh'), '');
    expect(await union.ask('refresh')).toBe('ok');
    expect([readFileSync(file, 'utf8'), existsSync(fresh)]).toEqual(['second', true]);
    expect(readdirSync(join(union.root, 'dir')).sort()).toEqual(['file', 'fresh']);
    expect(await union.ask('reval on')).toBe('ok');
    replace('third time');
    unlinkSync(union.at('base/dir/fresh'));
    expect([readFileSync(file, 'utf8'), existsSync(fresh)]).toEqual(['third time', false]);
    expect(readdirSync(join(union.root, 'dir'))).toEqual(['file']);
  });
});
