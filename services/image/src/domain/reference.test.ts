import { isTeuError } from '@teu/errors';
import { describe, expect, it } from 'vitest';
import { normalizeName, normalizeTag, parseMeaning, repositoryOf } from './reference.js';

const DIGEST = `sha256:${'ab'.repeat(32)}`;

describe('a name', () => {
  it.each([
    ['busybox', 'busybox:latest'],
    ['busybox:latest', 'busybox:latest'],
    ['docker.io/busybox', 'busybox:latest'],
    ['docker.io/library/busybox:1.36', 'busybox:1.36'],
    ['index.docker.io/some/thing', 'some/thing:latest'],
    ['localhost/x', 'localhost/x:latest'],
    ['localhost:5000/x:y', 'localhost:5000/x:y'],
    ['quay.io/a/b/c:d', 'quay.io/a/b/c:d'],
    [`debian@${DIGEST}`, `debian@${DIGEST}`],
  ])('%s is kept as %s', (text, name) => {
    expect(normalizeName(text)).toBe(name);
    expect(normalizeName(name)).toBe(name);
  });

  it.each(['', 'UPPER', 'a//b', '../x', 'a:', 'a:b:c', ':x', 'a b', 'x/../y', `a@md5:00`, 'é'])(
    '%j is refused',
    (text) => {
      expect(() => normalizeName(text)).toThrow(
        expect.toSatisfy((error) => isTeuError(error, 'INVALID_ID')),
      );
    },
  );

  it('that is given may not hold a digest', () => {
    expect(() => normalizeTag(`debian@${DIGEST}`, 'target')).toThrow('target');
  });

  it('has a repository', () => {
    expect(repositoryOf('localhost:5000/a:1')).toBe('localhost:5000/a');
    expect(repositoryOf('localhost:5000/a')).toBe('localhost:5000/a');
  });
});

describe('a reference may mean', () => {
  it.each([
    ['debian', { name: 'debian:latest' }],
    ['cafe', { name: 'cafe:latest', idPrefix: 'cafe' }],
    ['caf', { name: 'caf:latest' }],
    [DIGEST, { idPrefix: 'ab'.repeat(32) }],
    ['ab'.repeat(32), { idPrefix: 'ab'.repeat(32) }],
    [
      `debian:12@${DIGEST}`,
      {
        name: 'debian:12',
        remote: { registry: 'docker.io', repository: 'library/debian', digest: DIGEST },
      },
    ],
  ])('%s', (text, meaning) => expect(parseMeaning(text)).toEqual(meaning));
});
