import { tmpdir } from 'node:os';
import { realpathSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseLabArguments } from './arguments.js';

test('has a machine of an ordinary size by default', () => {
  expect(parseLabArguments(['true'])).toMatchObject({
    machine: { memoryMebibytes: 2048, cpus: 2, timeLimitSeconds: 600, disks: [], environment: {} },
    words: ['true'],
    test: false,
  });
});

test('takes its own options before the command, and gives the command the others', () => {
  const { machine, words } = parseLabArguments([
    ...['--time-limit', '5', '--memory', '512m', '--cpus', '1', '--scratch', '1g'],
    ...['--disk', '/a:1g', '--disk', '/b:64m:none', '--env', 'A=b=c', '--writable', tmpdir()],
    ...['ls', '--all', '--time-limit', '9'],
  ]);
  expect(words).toEqual(['ls', '--all', '--time-limit', '9']);
  expect(machine).toEqual({
    timeLimitSeconds: 5,
    memoryMebibytes: 512,
    cpus: 1,
    scratchBytes: 1 << 30,
    disks: [
      { file: '/a', bytes: 1 << 30, cache: 'writeback' },
      { file: '/b', bytes: 64 << 20, cache: 'none' },
    ],
    environment: { A: 'b=c' },
    writable: [realpathSync(tmpdir())],
  });
});

test('knows tests from a command', () => {
  expect(parseLabArguments(['--test'])).toMatchObject({ test: true, words: [] });
  const named = parseLabArguments(['--results', '/r', '--test', '--test-name', 'x', 'a', 'b']);
  expect(named).toMatchObject({ words: ['a', 'b'], testName: 'x', results: '/r' });
});

test.each([
  [[], /no command/],
  [['--'], /no command/],
  [['--bogus', 'true'], /--bogus/],
  [['--memory', '12q', 'true'], /--memory is "12q"/],
  [['--time-limit', '0', 'true'], /--time-limit is "0"/],
  [['--cpus', '1.5', 'true'], /--cpus is "1.5"/],
  [['--disk', '/a', 'true'], /--disk is ""|size/],
  [['--disk', '/a:1g:fast', 'true'], /the cache "fast"/],
  [['--disk', '/a:1g:none:x', 'true'], /FILE:SIZE/],
  [['--writable', '/nonexistent', 'true'], /no directory "\/nonexistent"/],
  [['--env', '1=2', 'true'], /NAME=VALUE/],
  [['--results', '/r', 'true'], /need --test/],
] as const)('refuses %j', (argv, message) => {
  expect(() => parseLabArguments(argv)).toThrow(message);
});
