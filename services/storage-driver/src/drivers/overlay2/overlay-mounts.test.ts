import { tempDir } from '@teu/testing';
import { describe, expect, it } from 'vitest';
import { LayerDirectories } from '@teu/snapshots';
import { checkMountable, overlayMounts } from './overlay-mounts.js';

describe('mounts of overlay2', () => {
  using directory = tempDir();
  const root = directory.path;
  const directories = new LayerDirectories(root, { work: true });
  const mountsOf = (writable: boolean, parentIds: number[]) =>
    overlayMounts(directories, { id: 40, writable, parentIds });

  it('binds a snapshot without layers', () => {
    const bind = { type: 'bind', source: `${root}/l/14`, target: '' };
    expect(mountsOf(true, [])).toEqual([{ ...bind, options: ['rbind', 'rw'] }]);
    expect(mountsOf(false, [])).toEqual([{ ...bind, options: ['rbind', 'ro'] }]);
  });

  it('binds the layer itself for a view of one', () => {
    const bind = { type: 'bind', source: `${root}/l/a`, target: '', options: ['rbind', 'ro'] };
    expect(mountsOf(false, [10])).toEqual([bind]);
  });

  it('stacks layers, the nearest first, with nothing of theirs obeyed', () => {
    const safe = ['index=off', 'metacopy=off', 'redirect_dir=nofollow'];
    const lower = `lowerdir=${root}/l/3:${root}/l/2:${root}/l/1`;
    const upper = [`workdir=${root}/w/14`, `upperdir=${root}/l/14`];
    expect(mountsOf(true, [3, 2, 1])[0]?.options).toEqual([...safe, ...upper, lower]);
    expect(mountsOf(false, [3, 2, 1])[0]?.options).toEqual([...safe, 'ro', lower]);
  });

  it('refuses more layers than one page of options can name', () => {
    const layers = (count: number) => Array.from({ length: count }, (_, index) => 2000 - index);
    expect(() => checkMountable(mountsOf(true, layers(1500)))).toThrow(
      expect.objectContaining({ reason: 'RESOURCE_EXHAUSTED' }),
    );
    expect(() => checkMountable(mountsOf(true, layers(500)))).not.toThrow();
  });
});
