import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { runToEnd } from '../harness/process.js';
import { pidsByCommand } from '../start/memory.js';
import type { ImageContender } from './contender.js';
import type { ImageFixture } from './fixture.js';

/** What unpacking alone takes: GNU tar on the layer, with the decompressors that it starts. */
export const gnuTar = (fixture: ImageFixture): ImageContender => ({
  name: 'tar',
  how: 'tar -x of the layer alone: no digest, no store',
  isDurable: false,
  open: async (directory) => {
    const tree = join(directory, 'tree');
    mkdirSync(tree, { recursive: true });
    return {
      load: (_archive, form) => runToEnd('tar', ['-C', tree, '-xf', fixture.layer(form)]),
      pids: () => pidsByCommand('tar', tree),
      close: async () => undefined,
    };
  },
});
