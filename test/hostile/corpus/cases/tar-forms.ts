import { oci } from '../hostile-archive.js';
import { harmless, refused, type HostileCase, type Refusal } from '../hostile-case.js';
import { dir, file, memberBlocks, pax, tar, type TarPart } from '../hostile-tar.js';

const one =
  (...parts: TarPart[]) =>
  () =>
    oci([tar(...parts)]);
const bad = (entry?: string): Refusal => ({
  ...{ reason: 'LAYER_INVALID', code: 'BAD_TAR' },
  ...(entry === undefined ? {} : { entry }),
});
const limit: Refusal = { reason: 'LAYER_TOO_LARGE', code: 'LIMIT_EXCEEDED' };
const sparse = (data: string, map: string, size: string): TarPart => ({
  ...{ name: 'f', data },
  pax: [
    ['GNU.sparse.map', map],
    ['GNU.sparse.size', size],
  ],
});
const extension = (data: string) => () => oci([tar({ name: 'x', type: 'x', data }, file('f'))]);
const whole = tar(file('etc/f', 'x'.repeat(3000)));

/** Numbers, maps, and headers that say what cannot be. */
export const tarCases: readonly HostileCase[] = [
  refused('a negative size', one({ name: 'f', size: Buffer.alloc(12, 0xff) }), bad('(tar header)')),
  refused(
    'a size of 2^94',
    one({ name: 'f', size: Buffer.from(`80${'40'.repeat(11)}`, 'hex') }),
    bad(),
  ),
  refused(
    'a size that is no octal',
    one({ name: 'f', size: Buffer.from('0000000009 \0') }),
    bad('(tar header)'),
  ),
  refused('a size of 8 EiB', one(pax('f', ['size', '9223372036854775807'])), bad('f')),
  refused('a size of 2^64', one(pax('f', ['size', '18446744073709551616'])), bad('f')),
  refused('a size that is negative in PAX', one(pax('f', ['size', '-1'])), bad('f')),
  refused(
    'a size that is larger than the layer',
    one({ name: 'f', data: 'x', size: 100_000 }),
    bad(),
  ),
  refused('an owner of 2^32', one(pax('f', ['uid', '4294967296'])), bad('f')),
  refused('an owner that is a word', one(pax('f', ['uid', 'root'])), bad('f')),
  refused('a time that is a word', one(pax('f', ['mtime', 'never'])), bad('f')),
  refused('a time of garbage', one({ ...file('f'), mtime: Buffer.from('garbage!!!!!') }), bad()),
  refused('a member of no known type', one({ name: 'v', type: 'V' }), bad('v')),
  refused('a file for a root', one(file('.')), bad('.')),
  refused('an empty name', one(file('')), bad()),
  refused('a header of 2 MiB', one(pax('f', ['comment', 'c'.repeat(2 ** 21)])), limit),
  refused('a record without end', extension('999 path=x\n'), bad()),
  refused('a record that is longer than it says', extension('3 path=x\n'), bad()),
  refused('a record without a name', extension('6 =xx\n'), bad()),
  refused(
    'a header for what does not come',
    () => oci([tar({ name: 'x', type: 'x', data: '8 a=bcd\n' })]),
    bad(),
  ),
  refused('a sparse map that overlaps itself', one(sparse('abcd', '0,2,1,2', '9')), bad('f')),
  refused('a sparse map beyond the end', one(sparse('ab', '8,2', '9')), bad('f')),
  refused('a sparse map of other bytes than there are', one(sparse('ab', '0,1', '9')), bad('f')),
  refused('a sparse map with an odd number', one(sparse('ab', '0,1,2', '9')), bad('f')),
  refused('a sparse map of 2^63', one(sparse('ab', '9223372036854775807,2', '9')), bad('f')),
  refused('a sparse file of 4 EiB', one(sparse('ab', '0,2', '4611686018427387904')), {
    ...limit,
    code: 'SYSCALL',
    text: /EFBIG/,
  }),
  refused(
    'a sparse map of 100,000 pieces',
    one(sparse('', Array.from({ length: 100_000 }, (_, at) => `${at},0`).join(','), '100000')),
    limit,
  ),
  ...[100, 512, 600, 1100, 3000].map((length) =>
    refused(`an end after ${length} bytes`, () => oci([whole.subarray(0, length)]), bad()),
  ),
  refused('noise', () => oci([Buffer.alloc(4096, 'noise')]), bad()),
  harmless(
    'a directory and what replaces it',
    one(dir('d'), file('d/inner'), file('d', 'file')),
    'cat d',
    'file',
  ),
  harmless('the same name twice', one(file('f', 'first'), file('f', 'second')), 'cat f', 'second'),
  harmless(
    'the same name in three spellings',
    one(file('f', '1'), file('./f', '2'), file('.//f', '3')),
    'cat f',
    '3',
  ),
  harmless('a time before there was any', one(pax('f', ['mtime', '-1'])), 'cat f', 'x'),
  harmless('a year beyond all calendars', one(pax('f', ['mtime', '9223372036'])), 'cat f', 'x'),
  harmless(
    'an owner of 2^32 - 2',
    one(pax('f', ['uid', '4294967294'])),
    'stat -c %u f',
    '4294967294\n',
  ),
  harmless('a layer of nothing', () => oci([Buffer.alloc(1024)]), 'ls -A', ''),
  harmless(
    'something behind the end',
    () => oci([Buffer.concat([tar(file('f')), ...memberBlocks(file('../x'))])]),
    'ls -A',
    'f\n',
  ),
];
