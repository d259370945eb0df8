import { parseMount } from '@teu/mounts';
import { describe, expect, it } from 'vitest';
import type { Branch, Permission } from '../branch.js';
import { changeOptions, mountOptions } from './mount-options.js';

const xino = '/var/lib/teu/aufs/c/1';
const branch = (path: string, permission: Permission = 'ro+wh'): Branch => ({ path, permission });
const union = (...paths: string[]): Branch[] => [
  branch('/l/up', 'rw'),
  ...paths.map((p) => branch(p)),
];

/** What AUFS makes of remounts, by what aufs(5) says of each option. */
function obey(branches: readonly Branch[], mounts: readonly (readonly string[])[]): Branch[] {
  const list = [...branches];
  const parse = (word: string): Branch => {
    const [path = '', permission = ''] = word.split('=');
    return { path, permission: permission as Permission };
  };
  const find = (path: string): number => {
    const index = list.findIndex((each) => each.path === path);
    if (index < 0) throw new Error(`${path} is no branch`);
    return index;
  };
  const take = (at: number, each: Branch): void => {
    if (list.some(({ path }) => path === each.path)) throw new Error(`${each.path} is there twice`);
    if (at > list.length) throw new Error(`index ${at} of ${list.length}`);
    list.splice(at, 0, each);
  };
  for (const option of mounts.flat()) {
    const [verb = '', ...words] = option.split(':');
    const word = words.at(-1) ?? '';
    if (verb === 'append') take(list.length, parse(word));
    if (verb === 'add') take(Number(words[0]), parse(word));
    if (verb === 'del') list.splice(find(word), 1);
    if (verb === 'mod') list[find(parse(word).path)] = parse(word);
  }
  return list;
}

describe('the options of a mount of kernel AUFS', () => {
  it('name branches in order, each with its permission', () => {
    expect(mountOptions([...union('/l/2'), branch('/l/1', 'ro')], { xino })).toEqual([
      ['br:/l/up=rw:/l/2=ro+wh:/l/1=ro', `xino=${xino}`, 'dirperm1', 'udba=reval', 'noplink'],
    ]);
  });

  it('mount what nobody writes to read-only', () => {
    const [first] = mountOptions([branch('/l/2'), branch('/l/1')], { xino });
    expect(first).toEqual([
      'ro',
      'br:/l/2=ro+wh:/l/1=ro+wh',
      `xino=${xino}`,
      'dirperm1',
      'udba=reval',
      'noplink',
    ]);
  });

  it('fit a page each, and the rest is appended', () => {
    const layers = Array.from(
      { length: 126 },
      (_, index) => `/var/lib/${'x'.repeat(60)}/l/${index}`,
    );
    const branches = union(...layers);
    const mounts = mountOptions(branches, { xino });
    expect(mounts.length).toBeGreaterThan(2);
    for (const options of mounts) {
      const data = options.filter((option) => option !== 'remount').join(',');
      expect(Buffer.byteLength(data)).toBeLessThanOrEqual(4095);
    }
    const [first = [], ...rest] = mounts;
    expect(rest.every(([remount]) => remount === 'remount')).toBe(true);
    const words = (first[0] ?? '').slice('br:'.length).split(':');
    const mounted = words.map((word) => {
      const [path = '', permission = ''] = word.split('=');
      return { path, permission: permission as Permission };
    });
    expect(obey(mounted, rest)).toEqual(branches);
  });

  it('are such as the services that mount take', () => {
    const [options = []] = mountOptions(union('/l/2', '/l/1'), { xino });
    const parsed = parseMount({ type: 'aufs', source: 'none', target: '', options });
    expect(parsed).toMatchObject({ type: 'aufs', flags: 0, data: options.join(',') });
  });
});

describe('the options that give a mounted union other branches', () => {
  it('are none for the same', () => {
    expect(changeOptions(union('/l/1'), union('/l/1'))).toEqual([]);
  });

  it('add before they take away', () => {
    expect(changeOptions(union('/l/a', '/l/b'), union('/l/c', '/l/b'))).toEqual([
      ['remount', 'add:1:/l/c=ro+wh', 'del:/l/a'],
    ]);
  });

  it('change a permission where the branch stays', () => {
    const wanted = [branch('/l/up', 'rw'), branch('/l/1', 'ro')];
    expect(changeOptions(union('/l/1'), wanted)).toEqual([['remount', 'mod:/l/1=ro']]);
  });

  it.each([
    [
      ['a', 'b', 'c'],
      ['c', 'b', 'a'],
    ],
    [
      ['a', 'b', 'c', 'd'],
      ['d', 'a', 'x', 'c'],
    ],
    [['a'], ['x', 'y', 'z', 'a']],
    [['a', 'b'], ['x']],
    [
      ['x', 'b', 'a'],
      ['a', 'x', 'q', 'b'],
    ],
  ])('turn %j into %j', (from, to) => {
    const [current, wanted] = [union(...from), union(...to)];
    expect(obey(current, changeOptions(current, wanted))).toEqual(wanted);
  });

  it('do it with many, a page at a time', () => {
    const long = (prefix: string) =>
      Array.from({ length: 126 }, (_, index) => `/l/${prefix}${'y'.repeat(70)}${index}`);
    const [current, wanted] = [union(...long('a')), union(...long('b'))];
    const mounts = changeOptions(current, wanted);
    expect(mounts.length).toBeGreaterThan(3);
    for (const [, ...options] of mounts) {
      expect(Buffer.byteLength(options.join(','))).toBeLessThanOrEqual(4095);
    }
    expect(obey(current, mounts)).toEqual(wanted);
  });
});
