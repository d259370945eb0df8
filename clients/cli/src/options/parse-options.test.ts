import { expect, test } from 'vitest';
import { UsageError } from '../cli-error.js';
import { containerOptions } from './container-options.js';
import { parseOptions, type OptionSpec } from './parse-options.js';

const specs: readonly OptionSpec[] = [
  { name: 'detach', short: 'd', kind: 'flag', doc: '' },
  { name: 'interactive', short: 'i', kind: 'flag', doc: '' },
  { name: 'tty', short: 't', kind: 'flag', doc: '' },
  { name: 'memory', short: 'm', kind: 'value', value: 'BYTES', doc: '' },
  { name: 'env', short: 'e', kind: 'list', value: 'NAME=VALUE', doc: '' },
  { name: 'network', kind: 'value', choices: ['none', 'host'], doc: '' },
];

test('values come after a blank, an equals sign, or a letter', () => {
  for (const words of [
    ['--memory', '64m'],
    ['--memory=64m'],
    ['-m', '64m'],
    ['-m64m'],
    ['-m=64m'],
  ]) {
    expect(parseOptions(specs, words).options.value('memory')).toBe('64m');
  }
});

test('flags may share a word, and the last of them may take a value', () => {
  const { options } = parseOptions(specs, ['-itm', '64m']);
  expect(options.flag('interactive')).toBe(true);
  expect(options.flag('tty')).toBe(true);
  expect(options.flag('detach')).toBe(false);
  expect(options.value('memory')).toBe('64m');
});

test('a flag can be switched off again', () => {
  expect(parseOptions(specs, ['-d', '--detach=false']).options.flag('detach')).toBe(false);
  expect(() => parseOptions(specs, ['--detach=maybe'])).toThrow(UsageError);
});

test('a list keeps the order, a value the last', () => {
  const { options } = parseOptions(specs, ['-e', 'A=1', '-m1m', '--env=B=2', '-m2m']);
  expect(options.list('env')).toEqual(['A=1', 'B=2']);
  expect(options.value('memory')).toBe('2m');
});

test('options after the first argument belong to the program in the container', () => {
  const words = ['-d', 'busybox', 'ls', '-d', '--memory'];
  const line = parseOptions(specs, words, true);
  expect(line.args).toEqual(['busybox', 'ls', '-d', '--memory']);
  expect(line.options.flag('detach')).toBe(true);
});

test('elsewhere options and arguments mix, until two dashes', () => {
  const line = parseOptions(specs, ['one', '-d', 'two', '--', '-i', '-']);
  expect(line.args).toEqual(['one', 'two', '-i', '-']);
  expect(line.options.flag('interactive')).toBe(false);
});

test('an unknown option is refused, and the nearest one named', () => {
  expect(() => parseOptions(specs, ['--memroy', '64m'])).toThrow(
    expect.objectContaining({
      message: 'unknown option: --memroy',
      hint: 'did you mean --memory?',
      exitCode: 125,
    }) as Error,
  );
  expect(() => parseOptions(specs, ['-x'])).toThrow('unknown option: -x');
  expect(() => parseOptions(specs, ['--quite-another'])).toThrow(
    expect.objectContaining({ hint: undefined }) as Error,
  );
});

test('a missing value and a value that can’t be are refused', () => {
  expect(() => parseOptions(specs, ['--memory'])).toThrow('needs a value');
  expect(() => parseOptions(specs, ['--network', 'bridge'])).toThrow('none, host');
});

test('help is recognised unless -h means something else', () => {
  expect(parseOptions(specs, ['-h']).help).toBe(true);
  expect(parseOptions(specs, ['--help']).help).toBe(true);
  const line = parseOptions(containerOptions, ['-h', 'box', 'busybox'], true);
  expect(line.help).toBe(false);
  expect(line.options.value('hostname')).toBe('box');
});

test('no two options of run share a name or a letter', () => {
  const names = containerOptions.flatMap(({ name, short }) => [name, ...(short ? [short] : [])]);
  expect(new Set(names).size).toBe(names.length);
});
