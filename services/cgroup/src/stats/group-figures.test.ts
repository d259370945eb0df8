import { mkdirSync, readdirSync, readlinkSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tempDir, type TempDir } from '@teu/testing';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { GroupGone } from './directory-files.js';
import type { FigureDirectories } from './figure-parts.js';
import { GroupFigures } from './group-figures.js';
import { keepLimit, OpenFiles } from './open-files.js';

// On plain files: what is read, and when. They differ from the kernel's in that one that is open outlives its removal.
describe('the figures of a group that is read again and again', () => {
  let place: TempDir;
  let directory: string;
  let directories: FigureDirectories;
  beforeEach(() => {
    place = tempDir();
    directory = join(place.path, 'group');
    mkdirSync(directory);
    const here = { path: directory, version: 2 } as const;
    directories = { cpu: here, memory: here, pids: here, io: here, pressure: here };
    put('cpu.stat', 'usage_usec 100\nuser_usec 60\nsystem_usec 40\n');
    put('memory.current', '4096\n');
    put('memory.stat', 'anon 1\nfile 2\ninactive_file 0\n');
    put('memory.max', '8192\n');
    put('pids.current', '1\n');
    put('pids.max', 'max\n');
    put('cpu.pressure', pressure('0.00'));
  });
  afterEach(() => {
    place.remove();
  });

  const put = (name: string, text: string) => writeFileSync(join(directory, name), text);
  const pressure = (avg10: string) => `some avg10=${avg10} avg60=0.00 avg300=0.00 total=5\n`;
  const openHere = () =>
    readdirSync('/proc/self/fd').filter((fd) => {
      try {
        return readlinkSync(`/proc/self/fd/${fd}`).startsWith(place.path);
      } catch {
        return false; // That of the directory that lists them.
      }
    });

  it('are read anew as long as something runs', () => {
    const figures = new GroupFigures(directories, new OpenFiles(100));
    expect(figures.read().pids?.currentCount).toBe(1);
    put('cpu.stat', 'usage_usec 200\n');
    put('pids.current', '2\n');
    const stats = figures.read();
    expect(stats.pids?.currentCount).toBe(2);
    expect(stats.cpu?.usageDuration).toEqual({ seconds: 0, nanos: 200_000 });
    figures.close();
  });

  it('are as they were while nothing runs and memory is the same', () => {
    const figures = new GroupFigures(directories, new OpenFiles(100));
    figures.read();
    const second = figures.read();
    // Nobody can do this without using the processor; here it shows what is not read.
    put('pids.current', '2\n');
    const third = figures.read();
    expect(third.pids).toBe(second.pids);
    expect(third.readTime?.getTime()).toBeGreaterThanOrEqual(second.readTime?.getTime() ?? 0);
    put('memory.current', '8192\n');
    expect(figures.read().pids?.currentCount).toBe(2);
    figures.close();
  });

  it('have pressure that falls while nothing runs', () => {
    put('cpu.pressure', pressure('3.00'));
    const figures = new GroupFigures(directories, new OpenFiles(100));
    figures.read();
    expect(figures.read().pressure?.cpu?.some?.avg10).toBe(3);
    put('cpu.pressure', pressure('1.00'));
    expect(figures.read().pressure?.cpu?.some?.avg10).toBe(1);
    figures.close();
  });

  it('keep their files open, as many as may be, until they are closed', () => {
    const few = new OpenFiles(2);
    const figures = new GroupFigures(directories, few);
    const stats = figures.read();
    expect(openHere()).toHaveLength(2);
    expect(few.count).toBe(2);
    expect(figures.read()).toEqual({ ...stats, readTime: expect.any(Date) as Date });
    figures.close();
    expect(openHere()).toEqual([]);
    expect(few.count).toBe(0);
  });

  it('are those of longer files than the first buffer has room for', () => {
    const lines = Array.from(
      { length: 5000 },
      (_, minor) => `8:${minor} rbytes=1 wbytes=0 rios=1 wios=0`,
    );
    put('io.stat', `${lines.join('\n')}\n`);
    const figures = new GroupFigures(directories, new OpenFiles(100));
    expect(figures.read().io).toMatchObject({ readBytes: 5000, readCount: 5000 });
    figures.close();
  });

  it('are none of a group that is gone', () => {
    const figures = new GroupFigures(directories, new OpenFiles(0));
    figures.read();
    rmSync(directory, { recursive: true });
    expect(() => figures.read()).toThrow(GroupGone);
    expect(openHere()).toEqual([]);
  });
});

it('leave files to the rest of the process', () => {
  const limits = (soft: string) =>
    `Max processes  1  1  processes\nMax open files   ${soft}   9999999   files\n`;
  expect(keepLimit(limits('20000'))).toBe(18_976);
  expect(keepLimit(limits('1024'))).toBe(512);
  expect(keepLimit(limits('unlimited'))).toBe(Infinity);
});
