import { startTeu } from '@teu/testing';
import { runToEnd } from '../harness/process.js';
import type { ImageContender } from './contender.js';

/** TEU through its command, on overlay2. */
export const teu: ImageContender = {
  name: 'teu',
  how: 'teu load, pull, push, save (overlay2)',
  isDurable: true,
  open: async (parent) => {
    const engine = await startTeu({ parent });
    const environment = { ...process.env, ...engine.env };
    const run = (...args: string[]) => runToEnd(engine.bin, args, environment);
    const { image, overlay2 } = await engine.pids();
    let name = '';
    return {
      load: async (archive) => {
        await run('load', '-q', '-i', archive, '--name', 'bench');
        name = 'bench:latest';
      },
      pull: async (wanted) => {
        await run('pull', '-q', wanted);
        name = wanted;
      },
      push: async (target) => {
        await run('tag', name, target);
        await run('push', '-q', target);
      },
      save: (file) => run('save', '-o', file, name),
      pids: () => [image ?? 0, overlay2 ?? 0],
      close: () => engine.stop(),
    };
  },
};
