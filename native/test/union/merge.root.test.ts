import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { execFileSync } from 'node:child_process';
import { describe, expect, it } from 'vitest';
import { canMountUnions, put, TestUnion, unionProgram } from './union-program.js';

/** A branch that does everything to the one below it. */
function makeLayers(union: TestUnion): void {
  for (const name of [
    'kept',
    'changed',
    'gone',
    'dir/kept',
    'dir/gone',
    'opaque/old',
    'was-dir/x',
    'was-file',
  ]) {
    put(union.at('base', name), 'below');
  }
  for (const name of ['changed', 'dir/new/file', 'opaque/new', 'was-dir'])
    put(union.at('top', name), 'above');
  for (const name of [
    '.wh.gone',
    'dir/.wh.gone',
    'opaque/.wh..wh.opq',
    '.wh.nowhere',
    '.wh..wh.aufs',
  ]) {
    put(union.at('top', name), '');
  }
  put(union.at('top/was-file/inside'), 'above');
  mkdirSync(union.at('top/.wh..wh.plnk'));
  execFileSync('chmod', ['0711', union.at('top/dir')]);
  execFileSync('touch', ['-d', '2001-02-03', union.at('top/dir')]);
}

describe.runIf(canMountUnions())('merging a branch into the one below', () => {
  const program = unionProgram('plain');
  const changed = [
    '/changed',
    '/dir',
    '/dir/gone',
    '/dir/new',
    '/dir/new/file',
    '/gone',
    '/opaque',
    '/opaque/new',
    '/was-dir',
    '/was-file',
    '/was-file/inside',
  ];

  it('tells beforehand what it will change', async () => {
    await using union = new TestUnion(program);
    makeLayers(union);
    const told = JSON.parse(union.run('changes', union.at('top'), union.at('base'))) as {
      changed: number;
      paths: string[];
    };
    expect(told.paths.sort()).toEqual(changed);
    expect(told.changed).toBe(changed.length);
  });

  it('leaves what the union has shown, and whiteouts for what is further below', async () => {
    await using union = new TestUnion(program);
    makeLayers(union);
    const done = JSON.parse(union.run('merge', union.at('top'), union.at('base'))) as {
      paths: string[];
    };
    expect(done.paths.sort()).toEqual(changed.filter((path) => path !== '/opaque'));
    expect(readdirSync(union.at('top'))).toEqual([]);
    expect(readdirSync(union.at('base')).sort()).toEqual([
      '.wh.gone',
      '.wh.nowhere',
      'changed',
      'dir',
      'kept',
      'opaque',
      'was-dir',
      'was-file',
    ]);
    expect(readdirSync(union.at('base/opaque')).sort()).toEqual(['.wh..wh.opq', 'new']);
    expect(readdirSync(union.at('base/was-file')).sort()).toEqual(['.wh..wh.opq', 'inside']);
    expect(readFileSync(union.at('base/was-dir'), 'utf8')).toBe('above');
    const { mode, mtime } = statSync(union.at('base/dir'));
    expect([mode & 0o777, mtime.getFullYear()]).toEqual([0o711, 2001]);
  });

  it('leaves no whiteouts in the lowest', async () => {
    await using union = new TestUnion(program);
    makeLayers(union);
    union.run('merge', union.at('top'), union.at('base'), '--lowest');
    expect(execFileSync('find', [union.at('base'), '-name', '.wh*'], { encoding: 'utf8' })).toBe(
      '',
    );
    expect(existsSync(union.at('base/gone'))).toBe(false);
    expect(readdirSync(union.at('base/opaque'))).toEqual(['new']);
  });

  it('goes on where it was interrupted', async () => {
    await using union = new TestUnion(program);
    makeLayers(union);
    // As after an opaque directory was emptied and one of its entries moved.
    execFileSync('sh', [
      '-c',
      `cd ${union.path} && rm base/opaque/old top/opaque/.wh..wh.opq && mv top/opaque/new base/opaque/`,
    ]);
    writeFileSync(union.at('base/opaque/.wh..wh.opq'), '');
    union.run('merge', union.at('top'), union.at('base'));
    expect(readdirSync(union.at('base/opaque')).sort()).toEqual(['.wh..wh.opq', 'new']);
    expect(readdirSync(union.at('top'))).toEqual([]);
    expect(JSON.parse(union.run('merge', union.at('top'), union.at('base')))).toEqual({
      changed: 0,
      paths: [],
    });
  });

  it('refuses what is not on one file system, and itself', async () => {
    await using union = new TestUnion(program);
    expect(union.run('merge', union.at('top'), '/proc')).toContain('"errnoName":"EXDEV"');
    expect(union.run('merge', union.at('top'), union.at('top'))).toContain('"errnoName":"EINVAL"');
    expect(union.run('merge', union.at('top'))).toContain('"code":"USAGE"');
  });
});
