import { gzipSync } from 'node:zlib';
import { archive, configOf, digestOf, docker, json, oci, ociMembers } from '../hostile-archive.js';
import { harmless, refused, type HostileCase, type Refusal } from '../hostile-case.js';
import { file, hard, link, memberBlocks, tar, type TarPart } from '../hostile-tar.js';

const LAYER = tar(file('f', 'fine'));
const HOSTILE = tar(file('a'), file('../x'));
const CONFIG = json(configOf([LAYER]));
const missing: Refusal = { reason: 'ARCHIVE_INVALID', text: /is not in the archive/ };
const invalid = (text: RegExp): Refusal => ({ reason: 'IMAGE_INVALID', text });
const entry = (value: unknown) => () => index([value]);
const index = (value: unknown) =>
  docker([LAYER], (_, members) => (members['manifest.json'] = json(value)));
const changed = (change: object) => () => docker([LAYER], (own) => void Object.assign(own, change));
/** An archive whose layer is what follows the config. */
const withLayer =
  (...parts: TarPart[]) =>
  () =>
    tar(
      file('manifest.json', json([{ Config: 'c.json', Layers: ['l'] }])),
      file('c.json', CONFIG),
      ...parts,
    );

function goodAndBad(): Buffer {
  return docker([LAYER], (own, members) => {
    Object.assign(members, { 'bad.json': json(configOf([HOSTILE])), bad: HOSTILE });
    members['manifest.json'] = json([
      { ...own, RepoTags: ['good:1'] },
      { Config: 'bad.json', Layers: ['bad'], RepoTags: ['bad:1'] },
    ]);
  });
}

function layerAsConfig(): Buffer {
  return docker([LAYER], (own, members) => {
    own['Config'] = Object.keys(members).find((name) => name.endsWith('layer.tar'));
  });
}

function linkedLayer(): Buffer {
  const own = {
    ...{ Config: `${digestOf(CONFIG).slice(7)}.json`, RepoTags: null },
    Layers: ['b/layer.tar'],
  };
  return tar(
    ...[file('manifest.json', json([own])), file(own.Config, CONFIG)],
    ...[file('a/layer.tar', LAYER), link('b/layer.tar', '../a/layer.tar')],
  );
}

/** What "docker load" was made to do. */
export const dockerCases: readonly HostileCase[] = [
  refused('a config outside', entry({ Config: '../../../etc/passwd', Layers: [] }), missing),
  refused('an absolute config', entry({ Config: '/etc/passwd', Layers: [] }), missing),
  refused('a layer outside', changed({ Layers: ['../../../etc/passwd'] }), missing),
  refused('no config', entry({ Layers: [] }), invalid(/names no config/)),
  refused('layers that are no list', changed({ Layers: 'all' }), invalid(/malformed list/)),
  refused('a config that is a layer', layerAsConfig, invalid(/not JSON/)),
  refused(
    'a config that is a link outside',
    () => tar(file('manifest.json', json([{ Config: 'c' }])), link('c', '/etc/passwd')),
    missing,
  ),
  refused('a layer that is a link outside', withLayer(link('l', '../../etc/passwd')), missing),
  refused('a link to a link', withLayer(link('l', 'm'), link('m', 'n'), file('n', LAYER)), missing),
  refused('a link to itself', withLayer(link('l', 'l')), missing),
  refused('a layer that is a hard link', withLayer(hard('l', '/etc/passwd')), missing),
  refused(
    'a layer that is a device',
    withLayer({ name: 'l', type: '3', major: 1, minor: 5 }),
    missing,
  ),
  refused('a layer that is a directory', withLayer({ name: 'l/', type: '5' }), missing),
  refused('a manifest.json that is no list', () => index({ Config: 'x' }), invalid(/not a list/)),
  refused('no image', () => index([]), { reason: 'ARCHIVE_INVALID', text: /no image/ }),
  refused('an index twice', () => tar(file('manifest.json', '[]'), file('./manifest.json', '[]')), {
    reason: 'ARCHIVE_INVALID',
    text: /a member twice/,
  }),
  refused('a name in capitals', changed({ RepoTags: ['UP:case'] }), { reason: 'INVALID_ID' }),
  refused('a name that is a path', changed({ RepoTags: ['../../x:1'] }), { reason: 'INVALID_ID' }),
  refused('a good image and a bad one', goodAndBad, { reason: 'INVALID_ARGUMENT' }),
  refused('nothing', () => Buffer.alloc(0), { reason: 'ARCHIVE_INVALID' }),
  refused('an empty tar', () => Buffer.alloc(1024), { reason: 'ARCHIVE_INVALID', text: /empty/ }),
  refused('text', () => Buffer.from('no tar at all '.repeat(100)), { reason: 'ARCHIVE_INVALID' }),
  refused('an end in gzip', () => gzipSync(oci([LAYER])).subarray(0, -20), {
    reason: 'ARCHIVE_INVALID',
  }),
  refused('an end in a blob', () => archive(ociMembers([LAYER])).subarray(0, 1000), {
    reason: 'LAYER_INVALID',
  }),
  refused(
    'a member of 8 EiB',
    () =>
      Buffer.concat([
        ...memberBlocks(file('oci-layout', '{"imageLayoutVersion":"1.0.0"}')),
        ...memberBlocks({ name: 'index.json', size: 0o77777777777 }),
      ]),
    invalid(/exceeds 4194304 bytes/),
  ),
  refused(
    'an archive of docker before 1.10',
    () => tar(file('repositories', '{}'), file('x/json', '{}')),
    {
      reason: 'IMAGE_UNSUPPORTED',
    },
  ),
  harmless('a layer that is a link to another, as docker wrote it', linkedLayer, 'cat f', 'fine'),
];
