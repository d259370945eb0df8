import { oci } from '../hostile-archive.js';
import { harmless, refused, type HostileCase, type Refusal } from '../hostile-case.js';
import { dir, file, gnuLong, hard, link, pax, tar, type TarPart } from '../hostile-tar.js';

const layers =
  (...parts: TarPart[][]) =>
  () =>
    oci(parts.map((members) => tar(...members)));
const invalid = (code: string, entry: string): Refusal => ({
  reason: 'LAYER_INVALID',
  code,
  entry,
});
const traversal = (entry: string): Refusal => invalid('PATH_TRAVERSAL', entry);
const behindLink = (entry: string): Refusal => invalid('LINK_AS_PARENT', entry);
const badHardLink = (entry: string): Refusal => invalid('BAD_HARD_LINK', entry);
const MEBIBYTE = 2 ** 20;

/** Names and links that lead out of the tree, in one layer and in two. */
export const pathCases: readonly HostileCase[] = [
  ...['../x', 'a/../../x', './../x', 'a/b/../../../x', '..', '../', '/x', '//x', '/../x'].map(
    (name) => refused(`the name ${name}`, layers([dir('a'), file(name)]), traversal(name)),
  ),
  refused(
    'a PAX name over an innocent one',
    layers([pax('ok', ['path', '../x'])]),
    traversal('../x'),
  ),
  refused('a PAX name that is absolute', layers([pax('ok', ['path', '/x'])]), traversal('/x')),
  refused(
    'the last of two PAX names',
    layers([pax('ok', ['path', 'fine'], ['path', '../x'])]),
    traversal('../x'),
  ),
  refused('a GNU long name', () => oci([gnuLong('L', '../x', file('ok'))]), traversal('../x')),
  refused(
    'a prefix of ustar that goes up',
    layers([{ ...file('x'), patch: (header) => void header.write('..', 345) }]),
    traversal('../x'),
  ),
  refused('a link to the root as parent', layers([link('l', '/'), file('l/x')]), behindLink('l/x')),
  refused(
    'a climbing link as parent',
    layers([link('l', '../..'), file('l/x')]),
    behindLink('l/x'),
  ),
  refused(
    'a chain of links as parent',
    layers([dir('d'), link('d/a', 'b'), link('d/b', '../../..'), file('d/a/x')]),
    behindLink('d/a/x'),
  ),
  refused(
    'a chain of fifty links as parent',
    layers([
      ...Array.from({ length: 50 }, (_, at) => link(`l${at}`, `l${at + 1}`)),
      link('l50', '/'),
      file('l0/x'),
    ]),
    behindLink('l0/x'),
  ),
  refused(
    'a directory replaced by a link',
    layers([dir('d'), link('d', '/'), file('d/x')]),
    behindLink('d/x'),
  ),
  refused('a directory below a link', layers([link('l', '/'), dir('l/x')]), behindLink('l/x/')),
  refused(
    'a whiteout below a link',
    layers([link('l', '/'), file('l/.wh.etc')]),
    behindLink('l/.wh.etc'),
  ),
  refused(
    'links in a loop',
    layers([link('a', 'b'), link('b', 'a'), file('a/x')]),
    behindLink('a/x'),
  ),
  refused(
    'a PAX target over an innocent one',
    layers([{ ...link('l', 'ok'), pax: [['linkpath', '/']] }, file('l/x')]),
    behindLink('l/x'),
  ),
  refused(
    'a file as parent',
    layers([file('f'), file('f/x')]),
    invalid('PARENT_NOT_DIRECTORY', 'f/x'),
  ),
  refused('a hard link that goes up', layers([hard('h', '../canary')]), badHardLink('h')),
  refused('an absolute hard link', layers([hard('h', '/etc/passwd')]), badHardLink('h')),
  refused(
    'a hard link by way of a link',
    layers([link('l', '/'), hard('h', 'l/etc/passwd')]),
    behindLink('h'),
  ),
  refused('a hard link to nothing', layers([hard('h', 'gone')]), badHardLink('h')),
  refused('a hard link to a directory', layers([dir('d'), hard('h', 'd')]), badHardLink('h')),
  refused('a hard link to itself', layers([file('f'), hard('f', 'f')]), badHardLink('f')),
  refused(
    'a PAX target of a hard link',
    layers([file('f'), { ...hard('h', 'f'), pax: [['linkpath', '../canary']] }]),
    badHardLink('h'),
  ),
  refused('a name with a NUL', layers([pax('f', ['path', 'a\0b'])]), invalid('BAD_TAR', 'a\0b')),
  refused('a name of 256 bytes', layers([pax('f', ['path', 'n'.repeat(256)])]), {
    ...{ reason: 'LAYER_TOO_LARGE', code: 'LIMIT_EXCEEDED', entry: 'n'.repeat(256) },
  }),
  refused('a path of 1025 levels', layers([pax('f', ['path', `${'d/'.repeat(1025)}x`])]), {
    ...{ reason: 'LAYER_TOO_LARGE', code: 'LIMIT_EXCEEDED', text: /"d\/d\/d/ },
  }),
  refused('a path of 5000 levels', layers([pax('f', ['path', `${'d/'.repeat(5000)}x`])]), {
    ...{ reason: 'LAYER_TOO_LARGE', code: 'LIMIT_EXCEEDED', text: /"d\/d\/d/ },
  }),
  refused('a name of 1 MiB', layers([pax('f', ['path', 'n'.repeat(MEBIBYTE - 100)])]), {
    ...{ reason: 'LAYER_TOO_LARGE', code: 'LIMIT_EXCEEDED', text: /"nnn/ },
  }),
  refused(
    'a GNU long name of 2 MiB',
    () => oci([gnuLong('L', 'n'.repeat(2 * MEBIBYTE), file('f'))]),
    {
      ...{ reason: 'LAYER_TOO_LARGE', code: 'LIMIT_EXCEEDED' },
    },
  ),
  harmless(
    'a lower layer’s absolute link as parent',
    layers([link('l', '/target')], [file('l/x', 'in')]),
    'readlink l; cat target/x; ls',
    '/target\nin\nl\ntarget\n'.replace('in\n', 'in'),
  ),
  harmless(
    'a lower layer’s climbing link as parent',
    layers([link('l', '../../../target')], [file('l/x', 'in')]),
    'cat target/x',
    'in',
  ),
  refused(
    'a lower layer’s links in a loop',
    layers([link('a', 'b'), link('b', 'a')], [file('a/x')]),
    behindLink('a/x'),
  ),
  harmless(
    'a file that takes the place of a lower layer’s link',
    layers([link('l', '/etc')], [file('l', 'mine')]),
    'cat l',
    'mine',
  ),
  refused(
    'a hard link by way of a lower layer’s link to nothing inside',
    layers([link('l', '/outside')], [hard('h', 'l/passwd')]),
    badHardLink('h'),
  ),
  harmless(
    'a name that is no UTF-8',
    layers([file(Buffer.from('a\xff\xfeb', 'latin1'), 'bytes')]),
    'cat a*b',
    'bytes',
  ),
  harmless(
    'a name with a line feed and colours',
    layers([file('a\n\u001b[31mb', 'odd')]),
    'cat a*b',
    'odd',
  ),
];
