import { configOf, json, oci } from '../hostile-archive.js';
import { harmless, type HostileCase } from '../hostile-case.js';
import { file, tar } from '../hostile-tar.js';

const LAYER = tar(file('f', 'fine'));
const withConfig = (config: unknown) => () =>
  oci([LAYER], { configText: json({ ...configOf([LAYER]), config }) });
const annotated = (annotations: Record<string, string>) => () =>
  oci([LAYER], {
    spoil: ({ manifest, index }) => {
      manifest['annotations'] = annotations;
      index.manifests.push({ annotations });
    },
  });

/** Keys that engines and clients of registries use for themselves. */
const labels = {
  'containerd.io/gc.root': '1',
  'containerd.io/gc.ref.snapshot.overlay2': 'x',
  'containerd.io/snapshot.ref': 'x',
  'containerd.io/distribution.source.docker.io': '../../x',
  'teu.base.digest': `sha256:${'0'.repeat(64)}`,
  'org.opencontainers.image.base.digest': '../../../etc/passwd',
  'io.containerd.log.uri': 'binary:///bin/sh?-c=touch+/x',
};
const names = {
  'io.containerd.image.name': '../../x',
  'org.opencontainers.image.ref.name': '/etc/passwd',
};

/** Values that somebody might take for orders. They are data, and the image is one like others. */
export const controlCases: readonly HostileCase[] = [
  harmless('labels that are our own keys', withConfig({ Labels: labels }), 'cat f', 'fine'),
  harmless(
    'labels of a prototype',
    withConfig(JSON.parse('{"Labels":{"__proto__":"x","constructor":"y"}}')),
    'cat f',
    'fine',
  ),
  harmless(
    'volumes outside',
    withConfig({ Volumes: { '/proc/../../etc': {}, '../..': {} } }),
    'ls',
    'f\n',
  ),
  harmless(
    'a working directory outside',
    withConfig({ WorkingDir: '/proc/self/fd/7/../..' }),
    'ls',
    'f\n',
  ),
  harmless('annotations that are our own keys', annotated(labels), 'cat f', 'fine'),
  harmless('names that are none', annotated(names), 'cat f', 'fine'),
];
