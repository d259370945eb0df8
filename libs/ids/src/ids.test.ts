import { describe, expect, test } from 'vitest';
import {
  clock,
  containerSnapshotKey,
  nextContainerSnapshotKey,
  formatImageReference,
  newContainerId,
  parseBlobDigest,
  parseCgroupId,
  parseContainerId,
  parseContainerName,
  parseDriverName,
  parseHostname,
  parseIdPrefix,
  parseImageDigest,
  parseImageReference,
  parseLabelKey,
  parseLabels,
  parsePageSize,
  parseSingleLine,
  parseSnapshotKey,
  randomId,
} from './index.js';

const hex64 = 'ab'.repeat(32);
/** What somebody sends who wants a path, a line, a flag, or a crash. */
const hostile: unknown[] = [
  '',
  ' ',
  '.',
  '..',
  '../x',
  '/etc/passwd',
  'a/../b',
  'a/..',
  'a//b',
  'a/',
  '/a',
  '-rf',
  '--help',
  'a\nb',
  'a\n',
  'a\0b',
  'a\u2028b',
  'ａ',
  'é',
  '٣',
  'a b',
  'a%2e%2e',
  '$(id)',
  'x'.repeat(10_000),
  undefined,
  null,
  {},
];

const kinds: [string, (text: string) => string, string[]][] = [
  ['container id', parseContainerId, [hex64]],
  ['id prefix', parseIdPrefix, ['a', hex64]],
  ['container name', parseContainerName, ['a', 'Web-1', 'a.b_c', '0', 'x'.repeat(128)]],
  [
    'snapshot key',
    parseSnapshotKey,
    [
      `container/${hex64}`,
      `sha256:${hex64}`,
      'extract-1-a sha256'.replace(' ', '/'),
      'default/1/x',
    ],
  ],
  ['image digest', parseImageDigest, [`sha256:${hex64}`]],
  ['blob digest', parseBlobDigest, [`sha256:${hex64}`, `sha512:${hex64}${hex64}`]],
  ['cgroup id', parseCgroupId, [hex64, 'group.1']],
  ['driver', parseDriverName, ['overlay2', 'my-driver', 'my_driver']],
  ['label key', parseLabelKey, ['a', 'org.example/key', 'a_b-c']],
  ['host name', parseHostname, ['a', 'web-1', 'a.example.org', '10']],
];

describe.each(kinds)('a %s', (_name, parse, good) => {
  test.each(good)('may be %s', (text) => {
    expect(parse(text)).toBe(text);
  });

  test.each(hostile.map((text) => [String(text).slice(0, 40), text] as const))(
    'may not be %s',
    (_shown, text) => {
      expect(() => parse(text as string)).toThrow(
        expect.objectContaining({ status: 'INVALID_ARGUMENT' }) as Error,
      );
    },
  );
});

test.each([
  [parseContainerId, hex64.toUpperCase()],
  [parseContainerId, hex64.slice(1)],
  [parseContainerId, `${hex64}\n`],
  [parseImageDigest, hex64],
  [parseImageDigest, `sha512:${hex64}${hex64}`],
  [parseImageDigest, `sha256:${hex64}0`],
  [parseBlobDigest, `md5:${'a'.repeat(32)}`],
  [parseSnapshotKey, `a/${'b/'.repeat(200)}c`],
  [parseHostname, 'a'.repeat(65)],
  [parseHostname, 'a..b'],
  [parseHostname, '-a'],
])('near misses are refused: %o', (parse: (text: string) => string, text) => {
  expect(() => parse(text)).toThrow(expect.objectContaining({ reason: 'INVALID_ID' }) as Error);
});

test('an error names the field and not the value', () => {
  expect(() => parseContainerId('../secret', 'spec.id')).toThrow(/^spec\.id is not 64/);
});

describe('an image reference', () => {
  const digest = `sha256:${hex64}`;
  test.each([
    ['debian', 'docker.io/library/debian:latest'],
    ['debian:stable', 'docker.io/library/debian:stable'],
    ['docker.io/debian', 'docker.io/library/debian:latest'],
    ['index.docker.io/debian', 'docker.io/library/debian:latest'],
    ['me/app:1.0', 'docker.io/me/app:1.0'],
    ['localhost/app', 'localhost/app:latest'],
    ['localhost:5000/a/b/c:t', 'localhost:5000/a/b/c:t'],
    ['[::1]:5000/app', '[::1]:5000/app:latest'],
    ['registry.example.org/a__b/c-d', 'registry.example.org/a__b/c-d:latest'],
    [`debian@${digest}`, `docker.io/library/debian@${digest}`],
    [`debian:stable@${digest}`, `docker.io/library/debian:stable@${digest}`],
  ])('%s is %s', (text, full) => {
    expect(formatImageReference(parseImageReference(text))).toBe(full);
    expect(formatImageReference(parseImageReference(full))).toBe(full);
  });

  test.each([
    ...hostile,
    'Debian',
    'debian:',
    'debian:-x',
    'debian:a/b:c',
    'a..b',
    '_a',
    'a___b',
    'debian@sha256:1',
    `debian@${digest}@${digest}`,
    'host:99999/a',
    'host:/a',
    'ex_ample.org:5000/a',
    `debian:${'t'.repeat(129)}`,
    `${'a/'.repeat(150)}b`,
  ])('may not be %j', (text) => {
    expect(() => parseImageReference(text as string)).toThrow(
      expect.objectContaining({ reason: 'INVALID_ID' }) as Error,
    );
  });
});

test('labels are copied and checked', () => {
  expect(parseLabels({ 'a.b/c': 'value with spaces' })).toEqual({ 'a.b/c': 'value with spaces' });
  expect(() => parseLabels({ 'a b': '' })).toThrow();
  expect(() => parseLabels({ a: 'x\ny' })).toThrow(/control characters/);
  const many = Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`k${i}`, '']));
  expect(() => parseLabels(many)).toThrow(/more than 256/);
});

test('a line is one line', () => {
  expect(parseSingleLine('root:x', 'home')).toBe('root:x');
  for (const text of ['a\nb', 'a\rb', 'a\0', '\u007f', 'x'.repeat(5000)]) {
    expect(() => parseSingleLine(text, 'home')).toThrow(
      expect.objectContaining({ reason: 'INVALID_ARGUMENT' }) as Error,
    );
  }
});

test('page sizes', () => {
  expect([0, 1, 1000, 5000].map((size) => parsePageSize(size))).toEqual([100, 1, 1000, 1000]);
  for (const size of [-1, 1.5, NaN]) expect(() => parsePageSize(size)).toThrow();
});

test('new ids are valid and differ', () => {
  const id = newContainerId();
  expect(parseContainerId(id)).toBe(id);
  expect(newContainerId()).not.toBe(id);
  expect(parseSnapshotKey(containerSnapshotKey(id))).toBe(`container/${id}`);
  const second = nextContainerSnapshotKey(id, containerSnapshotKey(id));
  expect(parseSnapshotKey(second)).toBe(`container/${id}/1`);
  expect(nextContainerSnapshotKey(id, second)).toBe(`container/${id}/2`);
  expect(randomId(4)).toMatch(/^[0-9a-f]{8}$/);
});

test('the clock goes forward', () => {
  const before = clock.monotonicMs();
  expect(clock.now().getTime()).toBeGreaterThan(0);
  expect(clock.monotonicMs()).toBeGreaterThanOrEqual(before);
});
