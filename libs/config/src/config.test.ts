import { existsSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import {
  address,
  boolean,
  bytes,
  ConfigOutput,
  defineConfig,
  durationMs,
  installRoot,
  integer,
  listOf,
  loadConfig,
  nativeBinary,
  oneOf,
  path,
  string,
  type Parser,
} from './index.js';

const definition = defineConfig({
  listen: {
    env: 'TEU_IMAGE_LISTEN',
    flag: '--listen',
    parse: address,
    default: (common) => `unix:${common.runDir}/image.sock`,
    doc: 'Where to listen',
  },
  graceMs: { env: 'TEU_IMAGE_GRACE', flag: '--grace', parse: durationMs, default: 5000, doc: 'x' },
  token: { env: 'TEU_IMAGE_TOKEN', parse: string, default: 'none', doc: 'x', secret: true },
});

const load = (env: Record<string, string> = {}, ...argv: string[]) =>
  loadConfig(definition, { env, argv });

describe('loading', () => {
  test('defaults, then environment, then flags', () => {
    expect(load()).toEqual({
      runDir: '/run/teu',
      dataDir: '/var/lib/teu',
      logLevel: 'info',
      listen: 'unix:/run/teu/image.sock',
      graceMs: 5000,
      token: 'none',
    });
    expect(load({ TEU_IMAGE_GRACE: '1s' }).graceMs).toBe(1000);
    expect(load({ TEU_IMAGE_GRACE: '1s' }, '--grace', '2s').graceMs).toBe(2000);
    expect(load({}, '--grace=3s').graceMs).toBe(3000);
    expect(load({ TEU_RUN_DIR: '/tmp/x' }).listen).toBe('unix:/tmp/x/image.sock');
    expect(load({ TEU_IMAGE_GRACE: '' }).graceMs).toBe(5000);
  });

  test.each<[string, Record<string, string>, string[], string]>([
    ['an unknown flag', {}, ['--grase', '1s'], '--grase'],
    ['an argument', {}, ['image'], 'image'],
    ['a flag without a value', {}, ['--grace'], '--grace'],
    ['a repeated flag', {}, ['--grace', '1s', '--grace=2s'], '--grace'],
    ['a misspelt variable', { TEU_IMAGE_GRASE: '1s' }, [], 'TEU_IMAGE_GRASE'],
    ['a misspelt common variable', { TEU_RUNDIR: '/x' }, [], 'TEU_RUNDIR'],
    ['a malformed variable', { TEU_IMAGE_GRACE: 'soon' }, [], 'TEU_IMAGE_GRACE'],
    ['a malformed flag', {}, ['--run-dir', 'relative'], '--run-dir'],
    ['one directory for both', { TEU_RUN_DIR: '/x', TEU_DATA_DIR: '/x/' }, [], 'TEU_RUN_DIR'],
  ])('refuses %s, by name', (_what, env, argv, setting) => {
    expect(() => load(env, ...argv)).toThrow(
      expect.objectContaining({ reason: 'INVALID_ARGUMENT', metadata: { setting } }) as Error,
    );
  });

  test('leaves the variables of other parts alone', () => {
    expect(load({ TEU_ENGINE_ANYTHING: 'x', TEU_NATIVE_DIR: '/x', HOME: '/root' })).toBeDefined();
  });

  test('requires what has no default', () => {
    const strict = defineConfig({ url: { env: 'TEU_NATS_URL', parse: string, doc: 'x' } });
    expect(() => loadConfig(strict, { env: {}, argv: [] })).toThrow('TEU_NATS_URL: is required');
    expect(loadConfig(strict, { env: { TEU_NATS_URL: 'x' }, argv: [] }).url).toBe('x');
  });

  test('prints itself without secrets', () => {
    let output = '';
    try {
      load({ TEU_IMAGE_TOKEN: 'hush' }, '--print-config');
    } catch (error) {
      if (error instanceof ConfigOutput) output = error.message;
    }
    expect(JSON.parse(output)).toMatchObject({ token: '***', graceMs: 5000 });
    expect(output).not.toContain('hush');
  });

  test('explains itself', () => {
    expect(() => load({}, '--help')).toThrow(/--grace, TEU_IMAGE_GRACE\n\s+x; default 5000/);
  });
});

test('names outside the convention are defects', () => {
  const key = { parse: string, doc: 'x' };
  expect(() => defineConfig({ a: { ...key, env: 'HOME' } })).toThrow('HOME');
  expect(() => defineConfig({ a: { ...key, flag: '-x' } })).toThrow('-x');
});

describe('parsers', () => {
  const cases: [string, Parser<unknown>, [string, unknown][], string[]][] = [
    ['path', path, [['/a/../b', '/b']], ['', 'a', './a', '/a\0']],
    [
      'duration',
      durationMs,
      [
        ['0', 0],
        ['5ms', 5],
        ['2h', 7_200_000],
      ],
      ['', '5', '-1s', '1d', '1 s', '1.5s'],
    ],
    [
      'bytes',
      bytes,
      [
        ['4096', 4096],
        ['1KiB', 1024],
        ['2GiB', 2 ** 31],
      ],
      ['', '-1', '1KB', '1.5MiB', '999999999999999TiB'],
    ],
    [
      'boolean',
      boolean,
      [
        ['true', true],
        ['0', false],
      ],
      ['', 'yes', 'TRUE'],
    ],
    [
      'integer',
      integer({ min: -1, max: 10 }),
      [
        ['-1', -1],
        ['10', 10],
      ],
      ['', '11', '1.0', '1e1'],
    ],
    ['choice', oneOf('a', 'b'), [['a', 'a']], ['', 'c', 'A']],
    [
      'list',
      listOf(oneOf('a', 'b')),
      [
        ['', []],
        ['a, b', ['a', 'b']],
      ],
      ['a,c'],
    ],
    [
      'address',
      address,
      [
        ['unix:/a', 'unix:/a'],
        ['127.0.0.1:0', '127.0.0.1:0'],
        ['[::1]:80', '[::1]:80'],
      ],
      ['', 'unix:a', 'host', 'host:99999', ':80'],
    ],
  ];
  test.each(cases)('%s', (_name, parse, good, bad) => {
    for (const [text, value] of good) expect(parse(text)).toEqual(value);
    for (const text of bad) expect(() => parse(text), text).toThrow('expected');
  });
});

test('finds its installation', () => {
  expect(existsSync(`${installRoot()}/nx.json`)).toBe(true);
  expect(nativeBinary('teu-init')).toMatch(/\/teu-init$/);
});
