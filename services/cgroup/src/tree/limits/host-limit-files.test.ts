import { HierarchyMode } from '@teu/proto/cgroup';
import { tempDir } from '@teu/testing';
import { mkdirSync, writeFileSync } from 'node:fs';
import { expect, it, onTestFinished } from 'vitest';
import { NO_LIMITS } from '../../domain/limits.js';
import { findLimitFiles, type HostLimitFile } from './host-limit-files.js';

/** The only limit file of a host, of whose engine's group it has this text. */
function onlyFile(version: 1 | 2, controller: 'io' | 'memory', file: string, text: string) {
  const directory = tempDir();
  onTestFinished(() => directory.remove());
  mkdirSync(`${directory.path}/teu`);
  writeFileSync(`${directory.path}/teu/${file}`, text);
  const [found] = findLimitFiles(
    {
      mode: HierarchyMode.HIERARCHY_MODE_V2,
      hierarchies: [
        { version, mountPath: directory.path, controllers: [controller], mountData: '' },
      ],
    },
    'teu',
  );
  return found as HostLimitFile;
}

it.each([
  // A weight of 20 is 102 of io.weight; its initial 100 is a weight of 20 when it is read.
  [2, 'io', 'io.weight', 'default 100\n', 'blockIoWeight', '100', 20, '102'],
  [2, 'io', 'io.bfq.weight', 'default 100\n254:0 30\n', 'blockIoWeight', '100', 20, '20'],
  [1, 'memory', 'memory.swappiness', '60\n', 'swappiness', '60', 61, '61'],
] as const)(
  'version %s, %s: %s tells what nobody asked for from what was',
  (version, controller, file, text, name, none, value, asked) => {
    const { format, parse } = onlyFile(version, controller, file, text);
    expect(parse(text, {})).toEqual({ [name]: -1 });
    expect(format(NO_LIMITS)).toBe(none);
    expect(format({ ...NO_LIMITS, [name]: value })).toBe(asked);
    expect(parse(`${asked}\n`, {})).toEqual({ [name]: value });
  },
);
