import { configOf, docker, json, oci } from '../hostile-archive.js';
import { harmless, refused, type HostileCase, type Refusal } from '../hostile-case.js';
import { file, tar } from '../hostile-tar.js';

const LAYER = tar(file('f', 'fine'));
const LIMIT = 4 * 2 ** 20;
const invalid = (text: RegExp): Refusal => ({ reason: 'IMAGE_INVALID', text });
const configText = (text: string | Buffer) => () => oci([LAYER], { configText: text });
const plain = json(configOf([LAYER])).toString();
const withMember = (member: string): string => `${plain.slice(0, -1)},${member}}`;
const sized = (bytes: number): string =>
  withMember(`"x":"${'x'.repeat(bytes - plain.length - 7)}"`);
const nested = (levels: number): string =>
  withMember(`"x":${'['.repeat(levels)}${']'.repeat(levels)}`);
const replaced = (what: string, by: string) => configText(plain.replace(what, by));
const configSize = (size: number) => () =>
  oci([LAYER], { spoil: ({ manifest }) => (manifest.config = { size }) });
const layers = (count: number) => () =>
  oci([LAYER], {
    spoil: ({ manifest, config }) => {
      manifest.layers = Array.from({ length: count }, () => ({ ...manifest.layers[0] }));
      config['rootfs'] = configOf(Array<Buffer>(count).fill(LAYER))['rootfs'];
    },
  });
const history = (count: number): string =>
  withMember(`"history":[${Array<string>(count).fill('{"empty_layer":true}').join(',')}]`);
const manifestJson = (make: (entry: object) => unknown) => () =>
  docker([LAYER], (entry, members) => (members['manifest.json'] = json(make(entry))));

function manifestWithSize(size: string): string {
  const type = 'application/vnd.oci.image.config.v1+json';
  const digest = `sha256:${'0'.repeat(64)}`;
  return `{"schemaVersion":2,"config":{"mediaType":"${type}","digest":"${digest}","size":${size}},"layers":[]}`;
}

/** JSON at its limits and beyond them. */
export const documentCases: readonly HostileCase[] = [
  harmless('a config of one byte less than 4 MiB', configText(sized(LIMIT - 1)), 'cat f', 'fine'),
  harmless('a config of 4 MiB', configText(sized(LIMIT)), 'cat f', 'fine'),
  refused(
    'a config of one byte more',
    configText(sized(LIMIT + 1)),
    invalid(/exceeds 4194304 bytes/),
  ),
  harmless('64 levels', configText(nested(63)), 'cat f', 'fine'),
  refused('65 levels', configText(nested(64)), invalid(/deeper than 64 levels/)),
  refused('100,000 levels', configText(nested(100_000)), invalid(/deeper than 64 levels/)),
  refused(
    'a million open brackets',
    configText('['.repeat(10 ** 6)),
    invalid(/deeper than 64 levels/),
  ),
  refused('a million quotes', configText('"'.repeat(10 ** 6)), invalid(/not JSON/)),
  refused('a million back slashes', configText(`"${'\\'.repeat(10 ** 6)}`), invalid(/not JSON/)),
  refused('a member twice', configText(withMember('"os":"windows"')), invalid(/a member twice/)),
  refused(
    'a member twice in two spellings',
    configText(withMember('"\\u006fs":"windows"')),
    invalid(/a member twice/),
  ),
  refused(
    'layers twice',
    () => oci([LAYER], { manifestText: '{"schemaVersion":2,"config":{},"layers":[],"layers":[]}' }),
    invalid(/a member twice/),
  ),
  harmless(
    'a member __proto__',
    configText(withMember('"__proto__":{"os":"windows","toString":1}')),
    'cat f',
    'fine',
  ),
  refused(
    'a config that is inherited only',
    configText('{"__proto__":{"rootfs":{"type":"layers","diff_ids":[]}}}'),
    invalid(/no rootfs/),
  ),
  refused(
    'bytes that are no UTF-8',
    configText(Buffer.from('{"os":"\xff"}', 'latin1')),
    invalid(/not JSON/),
  ),
  refused('a number for a document', configText('1'), invalid(/not an object/)),
  refused('null for a document', configText('null'), invalid(/not an object/)),
  refused('nothing for a document', configText(''), invalid(/not JSON/)),
  refused('a NUL in a command', replaced('/bin/sh', 'sh\\u0000'), invalid(/malformed "Cmd"/)),
  refused(
    'a command that is an object',
    replaced('["/bin/sh"]', '{"a":1}'),
    invalid(/malformed "Cmd"/),
  ),
  refused(
    'labels that are a list',
    replaced('"Cmd"', '"Labels":[1],"Cmd"'),
    invalid(/malformed "Labels"/),
  ),
  refused('513 layers', layers(513), invalid(/more than 512 layers/)),
  harmless('2048 entries of history', configText(history(2048)), 'cat f', 'fine'),
  refused('2049 entries of history', configText(history(2049)), invalid(/more than 2048 entries/)),
  refused('a size that is a fraction', configSize(1.5), invalid(/no byte count/)),
  refused('a size that is negative', configSize(-1), invalid(/no byte count/)),
  refused(
    'a size beyond 2^53',
    () => oci([LAYER], { manifestText: manifestWithSize('9007199254740993') }),
    invalid(/no byte count/),
  ),
  refused(
    'a manifest.json of 5 MiB',
    manifestJson(() => [' '.repeat(5 * 2 ** 20)]),
    invalid(/exceeds 4194304 bytes/),
  ),
  refused(
    'a manifest.json of 1025 images',
    manifestJson((entry) => Array<object>(1025).fill(entry)),
    invalid(/more than 1024 images/),
  ),
];
