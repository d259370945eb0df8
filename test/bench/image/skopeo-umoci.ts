import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runToEnd } from '../harness/process.js';
import { pidsByCommand } from '../start/memory.js';
import type { ImageContender } from './contender.js';

/** No engine: skopeo copies images into an OCI image layout, umoci unpacks them into a directory. */
export const skopeoUmoci: ImageContender = {
  name: 'skopeo+umoci',
  how: 'skopeo copy into a layout, umoci unpack',
  isDurable: false,
  open: async (directory) => {
    mkdirSync(directory, { recursive: true });
    const layout = `oci:${join(directory, 'layout')}:bench`;
    let bundles = 0;
    const environment = { ...process.env, TMPDIR: directory };
    const copy = (...args: string[]) =>
      runToEnd('/usr/bin/skopeo', ['--insecure-policy', 'copy', '-q', ...args], environment);
    const unpack = () => {
      const bundle = join(directory, `bundle${String((bundles += 1))}`);
      const image = join(directory, 'layout:bench');
      return runToEnd('/usr/bin/umoci', ['unpack', '--image', image, bundle]);
    };
    return {
      load: async (archive) => {
        await copy(`oci-archive:${archive}`, layout);
        await unpack();
      },
      pull: async (name) => {
        await copy('--src-tls-verify=false', `docker://${name}`, layout);
        if (bundles === 0) await unpack();
      },
      push: (target) => copy('--dest-tls-verify=false', layout, `docker://${target}`),
      save: (file) => copy(layout, `oci-archive:${file}`),
      pids: () => [...pidsByCommand('skopeo', directory), ...pidsByCommand('umoci', directory)],
      close: async () => undefined,
    };
  },
};
