import { oci, OCI, type Documents } from '../hostile-archive.js';
import { harmless, refused, type HostileCase, type Refusal } from '../hostile-case.js';
import { file, tar } from '../hostile-tar.js';

const LAYER = tar(file('f', 'fine'));
const DOCKER = 'application/vnd.docker';
const spoilt = (spoil: (documents: Documents) => unknown) => () =>
  oci([LAYER], { spoil: (documents) => void spoil(documents) });
const own = (members: object) => spoilt(({ manifest }) => Object.assign(manifest, members));
const layerWith = (members: object) =>
  spoilt(({ manifest }) => Object.assign(manifest.layers[0] ?? {}, members));
const pointedToAs = (mediaType: string, members: object = {}) =>
  spoilt(({ manifest, index }) => {
    Object.assign(manifest, members);
    index.manifests.push({ mediaType });
  });
const invalid = (text: RegExp): Refusal => ({ reason: 'IMAGE_INVALID', text });
const ambiguous = invalid(/is ambiguous/);
const unsupported: Refusal = { reason: 'IMAGE_UNSUPPORTED' };

/** Documents that two readers would read as two things, and such as are none of ours. */
export const manifestCases: readonly HostileCase[] = [
  refused('both manifest and index', own({ manifests: [] }), ambiguous),
  refused(
    'a manifest that says it is an index',
    own({ mediaType: `${OCI}.index.v1+json` }),
    ambiguous,
  ),
  refused(
    'one of OCI that says it is of docker',
    own({ mediaType: `${DOCKER}.distribution.manifest.v2+json` }),
    ambiguous,
  ),
  refused('one that is pointed to as an index', pointedToAs(`${OCI}.index.v1+json`), ambiguous),
  refused('both schemas', own({ fsLayers: [] }), ambiguous),
  refused(
    'a media type that is a list',
    own({ mediaType: [`${OCI}.manifest.v1+json`] }),
    ambiguous,
  ),
  refused('schema 1', own({ schemaVersion: 1 }), invalid(/schema version 2/)),
  refused(
    'a media type of nobody',
    pointedToAs('text/html', { mediaType: 'text/html' }),
    unsupported,
  ),
  refused('an artifact', own({ config: { mediaType: 'application/wasm' } }), unsupported),
  refused(
    'a foreign layer',
    layerWith({ mediaType: `${OCI}.layer.nondistributable.v1.tar` }),
    unsupported,
  ),
  refused(
    'docker’s foreign layer',
    layerWith({ mediaType: `${DOCKER}.image.rootfs.foreign.diff.tar.gzip` }),
    unsupported,
  ),
  refused(
    'an encrypted layer',
    layerWith({ mediaType: `${OCI}.layer.v1.tar+encrypted` }),
    unsupported,
  ),
  refused('a layer that is said to be gzip', layerWith({ mediaType: `${OCI}.layer.v1.tar+gzip` }), {
    ...{ reason: 'LAYER_INVALID', code: 'MEDIA_TYPE_MISMATCH' },
  }),
  refused(
    'more layers than the config',
    spoilt(({ manifest }) => manifest.layers.push({ ...manifest.layers[0] })),
    invalid(/has 1 layers, the manifest 2/),
  ),
  refused(
    'fewer layers than the config',
    own({ layers: [] }),
    invalid(/has 1 layers, the manifest 0/),
  ),
  refused(
    'another version of the layout',
    () =>
      oci([LAYER], {
        edit: (members) => (members['oci-layout'] = Buffer.from('{"imageLayoutVersion":"2.0.0"}')),
      }),
    invalid(/not of version 1.0.0/),
  ),
  harmless(
    'urls beside a layer: nobody goes there',
    layerWith({ urls: ['http://169.254.169.254/', 'file:///etc/passwd'] }),
    'cat f',
    'fine',
  ),
];
