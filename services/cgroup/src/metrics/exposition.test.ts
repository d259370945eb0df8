import { checkExposition } from '@teu/testing';
import { expect, it } from 'vitest';
import { familyText, labelText } from './exposition.js';

const family = { name: 'a_total', type: 'counter', help: 'Line\nand \\.' } as const;

it('has a metric in one piece, with what labels must not be taken for escaped', () => {
  const labels = labelText({ name: 'a"b\\c\nd', group: '' });
  const text = familyText(family, [
    { labels, value: 1.5 },
    { labels: '', value: 1e21 },
  ]);
  expect(text).toBe(
    '# HELP a_total Line\\nand \\\\.\n# TYPE a_total counter\n' +
      'a_total{name="a\\"b\\\\c\\nd",group=""} 1.5\na_total 1e+21\n',
  );
  expect(checkExposition(text).get('a_total')).toBe(1e21);
});

it('has nothing of a metric that nobody measures', () => {
  expect(familyText(family, [])).toBe('');
});

it.each([
  ['# TYPE a_total counter\na_total 1\n'],
  ['# HELP a_total x\n# TYPE a_total counter\nb_total 1\n'],
  ['# HELP a x\n# TYPE a counter\na 1\n'],
  ['# HELP a_total x\n# TYPE a_total counter\na_total 1\na_total 2\n'],
  ['# HELP a_total x\n# TYPE a_total counter\na_total{b="c\\d"} 1\n'],
  ['# HELP a_total x\n# TYPE a_total counter\na_total{b="c",b="d"} 1\n'],
  ['# HELP a_total x\n# TYPE a_total counter\na_total one\n'],
  ['# HELP a_total x\n# TYPE a_total counter\na_total 1'],
])('the check finds what is wrong in %j', (text) => {
  expect(() => checkExposition(text)).toThrow();
});
