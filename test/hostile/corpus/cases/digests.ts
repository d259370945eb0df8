import { blobName, configOf, digestOf, docker, json, oci } from '../hostile-archive.js';
import { refused, type HostileCase, type Refusal } from '../hostile-case.js';
import { file, tar } from '../hostile-tar.js';

const LAYER = tar(file('etc/f', 'fine'));
const OTHER = tar(file('etc/f', 'other'));
const ZEROS = `sha256:${'0'.repeat(64)}`;
const DATA_AT = 512;
const mismatch: Refusal = {
  reason: 'DIGEST_MISMATCH',
  text: /expected sha256:[0-9a-f]{64}, got sha256:[0-9a-f]{64}/,
};
const invalid = (text: RegExp): Refusal => ({ reason: 'IMAGE_INVALID', text });

/** The layout with one bit of a blob turned over. */
function flipped(what: 'config' | 'layer' | 'manifest'): Buffer {
  const layer = blobName(digestOf(LAYER));
  const config = blobName(digestOf(json(configOf([LAYER]))));
  return oci([LAYER], {
    edit: (members) => {
      const manifest = Object.keys(members).find(
        (name) => name.startsWith('blobs/') && name !== layer && name !== config,
      );
      const name = { config, layer, manifest: manifest ?? '' }[what];
      const spoilt = Buffer.from(members[name] ?? '');
      // In the data of the layer's file; in a word of a document.
      const at = what === 'layer' ? DATA_AT : 5;
      spoilt[at] = (spoilt[at] ?? 0) ^ 1;
      members[name] = spoilt;
    },
  });
}

const layerWith = (members: object) => () =>
  oci([LAYER], {
    spoil: ({ manifest }) => void Object.assign(manifest.layers[0] ?? {}, members),
  });
const otherDiffId = (compression: 'none' | 'gzip') => () =>
  oci([LAYER], {
    compression,
    spoil: ({ config }) => void Object.assign(config, configOf([OTHER])),
  });
const malformed: readonly (readonly [string, unknown])[] = [
  ['a path', 'sha256:../../../../etc/passwd'],
  ['md5', `md5:${'0'.repeat(32)}`],
  ['sha512', `sha512:${'0'.repeat(128)}`],
  ['in upper case', ZEROS.toUpperCase()],
  ['of upper-case digits', `sha256:${'A'.repeat(64)}`],
  ['of 63 digits', ZEROS.slice(0, -1)],
  ['of 65 digits', `${ZEROS}0`],
  ['without an algorithm', '0'.repeat(64)],
  ['a line more', `${ZEROS}\n`],
  ['a number', 7],
  ['a list', [ZEROS]],
  ['absent', undefined],
];

/** Bytes that are not what they are said to be. */
export const digestCases: readonly HostileCase[] = [
  refused('a bit of a layer', () => flipped('layer'), mismatch),
  refused('a bit of the config', () => flipped('config'), mismatch),
  refused('a bit of the manifest', () => flipped('manifest'), mismatch),
  refused('the diff id of another layer', otherDiffId('none'), mismatch),
  refused('the diff id of another layer, in gzip', otherDiffId('gzip'), mismatch),
  refused(
    'a config under the name of another',
    () =>
      docker([LAYER], (entry, members) => {
        entry['Config'] = `${ZEROS.slice(7)}.json`;
        members[`${ZEROS.slice(7)}.json`] = json(configOf([LAYER]));
      }),
    mismatch,
  ),
  refused(
    'another layer in a docker archive',
    () =>
      docker([LAYER], (_, members) => {
        for (const name of Object.keys(members)) {
          if (name.endsWith('layer.tar')) members[name] = OTHER;
        }
      }),
    mismatch,
  ),
  ...malformed.map(([what, digest]) =>
    refused(
      `a digest that is ${what}`,
      layerWith({ digest }),
      invalid(/layers\[0\] of the manifest/),
    ),
  ),
  refused(
    'a diff id that is a path',
    () =>
      oci([LAYER], {
        spoil: ({ config }) => (config['rootfs'] = { type: 'layers', diff_ids: ['../x'] }),
      }),
    invalid(/diff_ids\[0\]/),
  ),
  refused('a layer that is not there', layerWith({ digest: ZEROS }), {
    ...{ reason: 'ARCHIVE_INVALID', text: /is not in the archive/ },
  }),
  refused('a layer of another size', layerWith({ size: 7 }), invalid(/the manifest says 7/)),
  refused(
    'a config of another size',
    () => oci([LAYER], { spoil: ({ manifest }) => (manifest.config = { size: 7 }) }),
    invalid(/not 7/),
  ),
];
