import { describe, expect, it } from 'vitest';
import { committedConfig, committedManifest } from './committed-documents.js';
import { digestOf } from './digest.js';
import { OCI_CONFIG, OCI_LAYER } from './media-types.js';
import type { ImageDocuments } from './rebuilt-documents.js';

const DOCKER = 'application/vnd.docker';
const [LOWER, UPPER] = [digestOf('lower'), digestOf('upper')];

function imageOf(family: 'oci' | 'docker', more: object = {}): ImageDocuments {
  const type = family === 'oci' ? OCI_CONFIG : `${DOCKER}.container.image.v1+json`;
  const layer = family === 'oci' ? OCI_LAYER : `${DOCKER}.image.rootfs.diff.tar`;
  return {
    config: { os: 'linux', unknown: 7, config: { Cmd: ['a'], Shell: ['/s'] }, ...more },
    manifest: {
      schemaVersion: 2,
      config: { mediaType: type, digest: digestOf('c'), size: 1, data: 'e30=' },
      layers: [{ mediaType: layer, digest: LOWER, size: 2 }],
      annotations: { a: 'b' },
    },
    diffIds: [LOWER],
  };
}

const ADDITION = {
  ...{ diffId: UPPER, changes: ['USER u'], author: 'me', comment: 'why', createdBy: 'sh' },
  createTime: new Date(0),
};

describe('the documents of a committed image', () => {
  it('keep what they do not change', () => {
    const created = '1970-01-01T00:00:00.000Z';
    expect(committedConfig(imageOf('oci'), ADDITION)).toEqual({
      ...{ os: 'linux', unknown: 7, author: 'me', created },
      config: { Cmd: ['a'], Shell: ['/s'], User: 'u' },
      rootfs: { diff_ids: [LOWER, UPPER] },
      history: [{}, { created, created_by: 'sh', author: 'me', comment: 'why' }],
    });
  });

  it('go on with the history of the image, if it tells of each layer', () => {
    const told = [{ created_by: 'x' }, { created_by: 'y', empty_layer: true }];
    const history = (entries: object[]): unknown =>
      committedConfig(imageOf('oci', { history: entries }), ADDITION)['history'];
    expect(history(told)).toMatchObject([...told, { created_by: 'sh' }]);
    expect(history([...told, ...told])).toMatchObject([{}, { created_by: 'sh' }]);
  });

  it.each([
    ['oci', `${OCI_LAYER}+gzip`],
    ['docker', `${DOCKER}.image.rootfs.diff.tar.gzip`],
  ] as const)('are of the family of the image: %s', (family, mediaType) => {
    const image = imageOf(family);
    const layer = { mediaType: `${OCI_LAYER}+gzip`, digest: UPPER, size: 3 };
    const config = { digest: digestOf('new'), size: 9 };
    const manifest = committedManifest(image, config, layer);
    // What the descriptor had embedded was the old config.
    expect(manifest['config']).toEqual({
      mediaType: (image.manifest['config'] as { mediaType: string }).mediaType,
      ...config,
    });
    expect((manifest['layers'] as object[])[1]).toEqual({ ...layer, mediaType });
    expect(manifest['annotations']).toEqual({ a: 'b' });
  });
});
