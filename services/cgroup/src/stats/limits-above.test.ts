import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir, type TempDir } from '@teu/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LimitsAbove } from './limits-above.js';
import { OpenFiles } from './open-files.js';

describe('limits of the groups above', () => {
  let place: TempDir;
  let opened: string[];
  let above: LimitsAbove;
  beforeEach(() => {
    place = tempDir();
    mkdirSync(join(place.path, 'root/outer/inner/container'), { recursive: true });
    const files = new OpenFiles(0);
    opened = [];
    const open = files.open.bind(files);
    files.open = (path) => {
      opened.push(path);
      return open(path);
    };
    above = new LimitsAbove(files);
  });
  afterEach(() => {
    place.remove();
  });

  const put = (group: string, limit: string) =>
    writeFileSync(join(place.path, 'root', group, 'pids.max'), `${limit}\n`);
  const ofContainer = (name = 'container') =>
    above.above(join(place.path, 'root/outer/inner', name), 'pids.max');

  it('are the smallest on the way up, without its own', () => {
    put('outer', '10');
    put('outer/inner', '20');
    put('outer/inner/container', '5');
    expect(ofContainer()).toBe(10);
    above.forget();
    put('outer', 'max');
    expect(ofContainer()).toBe(20);
  });

  it('are none where nothing is limited, and end where there is no such file', () => {
    expect(ofContainer()).toBe(-1);
    put('.', '3');
    put('outer/inner', 'max');
    above.forget();
    expect(ofContainer()).toBe(-1);
    put('outer', 'max');
    above.forget();
    expect(ofContainer()).toBe(3);
  });

  it('are read once for all that are below', () => {
    put('outer', '10');
    put('outer/inner', 'max');
    expect([ofContainer(), ofContainer('b'), ofContainer('c')]).toEqual([10, 10, 10]);
    expect(opened).toEqual(
      ['outer/inner', 'outer', '.'].map((group) => join(place.path, 'root', group, 'pids.max')),
    );
  });
});
