import { describe, expect, it } from 'vitest';
import { DOCUMENT_BYTES_MAX, member, parseDocument, parseListDocument } from './strict-json.js';

const parse = (text: string) => parseDocument(Buffer.from(text), 'it');

describe('a document', () => {
  it('is parsed as JSON', () => {
    expect(parse('{"a":[1,{"b":"\\u0022}"}],"c":{"a":1,"b":"a\\\\"}}')).toEqual({
      a: [1, { b: '"}' }],
      c: { a: 1, b: 'a\\' },
    });
    expect(parseListDocument(Buffer.from('[{}]'), 'it')).toEqual([{}]);
  });

  it.each([
    ['a member twice', '{"layers":[],"layers":[1]}', 'has a member twice'],
    ['a member twice in other letters', '{"a":1,"\\u0061":2}', 'has a member twice'],
    ['a member twice deep inside', '{"x":[{"y":{"z":1,"z" :2}}]}', 'has a member twice'],
    ['too many levels', `{"a":${'['.repeat(64)}${']'.repeat(64)}}`, 'nested deeper than 64'],
    ['100 000 open brackets', '['.repeat(100_000), 'nested deeper than 64'],
    ['something else than an object', '[]', 'is not an object'],
    ['broken syntax', '{"a":1,}', 'is not JSON'],
    ['bytes that are not UTF-8', Buffer.from([0x7b, 0xff, 0x7d]), 'is not JSON'],
    ['one byte too many', `{"a":"${'x'.repeat(DOCUMENT_BYTES_MAX)}"}`, 'exceeds 4194304 bytes'],
  ])('with %s is refused', (_, text, message) => {
    expect(() => parseDocument(Buffer.from(text), 'it')).toThrow(message);
  });

  it('may be as large as allowed', () => {
    const text = `{"a":"${'x'.repeat(DOCUMENT_BYTES_MAX - 8)}"}`;
    expect(text).toHaveLength(DOCUMENT_BYTES_MAX);
    expect(parse(text)).toHaveProperty('a');
  });

  it('has members of its own only', () => {
    const document = parse('{"__proto__":{"evil":1},"n":null}');
    expect([member(document, 'evil'), member(document, 'toString'), member(document, 'n')]).toEqual(
      [undefined, undefined, undefined],
    );
  });
});
