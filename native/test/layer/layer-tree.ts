import { spawnSync } from 'node:child_process';
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const MS_BIND = 4096;
const native = fileURLToPath(new URL('../../', import.meta.url));

/** What teu-layer printed, and how it ended. */
export interface Answer {
  status: number | null;
  /** Its one line of JSON. */
  result: Record<string, unknown>;
  stderr: string;
}

/** A tree that layers are applied to: one directory for the base, overlays for what comes on top. */
export interface LayerTree {
  /** Where the result of the last layer can be looked at. */
  root: string;
  /** Directory of the test, with a canary beside the tree. */
  directory: string;
  /** Applies a layer on top of the ones before; only one that succeeds stays. */
  apply(layer: Buffer, ...options: string[]): Answer;
  remove(): void;
}

/** The program, or the one built with sanitizers: `make -f src/layer/rules.mk teu-layer-asan`. */
export function layerProgram(kind: 'plain' | 'sanitized'): string {
  const target = kind === 'plain' ? 'build/teu-layer' : 'dist/asan/teu-layer';
  // Test files run side by side, and make does not expect to.
  const make = ['make', '-s', '-j2', '-f', 'src/layer/rules.mk', target];
  const made = spawnSync('flock', ['src/layer/rules.mk', ...make], {
    cwd: native,
    encoding: 'utf8',
  });
  if (made.status !== 0) throw new Error(`${target} cannot be built: ${made.stderr}`);
  return join(native, target);
}

export function makeLayerTree(program: string): LayerTree {
  const directory = mkdtempSync(join(tmpdir(), 'teu-layer-'));
  const layers: string[] = [];
  for (const name of ['cage', 'merged']) mkdirSync(join(directory, name));
  const merged = join(directory, 'merged');
  let mounted = false;
  const unmount = (): void => {
    if (mounted) run('umount', merged);
    mounted = false;
  };
  const tree: LayerTree = {
    root: merged,
    directory,
    apply: (layer, ...options) => {
      unmount();
      const upper = join(directory, `upper${layers.length}`);
      const work = join(directory, `work${layers.length}`);
      rmSync(upper, { recursive: true, force: true });
      mkdirSync(upper, { recursive: true });
      mkdirSync(work, { recursive: true });
      const data = `lowerdir=${layers.toReversed().join(':')},upperdir=${upper},workdir=${work}`;
      const mount =
        layers.length === 0
          ? ['bind', upper, '', String(MS_BIND), '']
          : ['overlay', 'overlay', '', '0', data];
      const answer = runLayer(program, directory, layer, ['--mount', ...mount, ...options]);
      if (answer.status === 0) layers.push(upper);
      if (layers.length > 1) {
        run(
          'mount',
          '-t',
          'overlay',
          'o',
          '-o',
          `ro,lowerdir=${layers.toReversed().join(':')}`,
          merged,
        );
      } else if (layers[0] !== undefined) run('mount', '--bind', layers[0], merged);
      mounted = layers.length > 0;
      return answer;
    },
    remove: () => {
      unmount();
      rmSync(directory, { recursive: true, force: true });
    },
  };
  return tree;
}

function runLayer(program: string, directory: string, layer: Buffer, options: string[]): Answer {
  const path = join(directory, 'layer.tar');
  writeFileSync(path, layer);
  const fd = openSync(path, 'r');
  try {
    const cage = join(directory, 'cage');
    const ran = spawnSync(program, ['apply', '--blob-fd', '3', '--cage', cage, ...options], {
      stdio: ['ignore', 'pipe', 'pipe', fd],
      encoding: 'utf8',
      timeout: 60_000,
      // LeakSanitizer traces the process, which the cage forbids.
      env: { ASAN_OPTIONS: 'detect_leaks=0' },
    });
    if (ran.error) throw ran.error;
    const result = ran.stdout === '' ? {} : (JSON.parse(ran.stdout) as Record<string, unknown>);
    return { status: ran.status, result, stderr: ran.stderr };
  } finally {
    closeSync(fd);
  }
}

function run(command: string, ...args: string[]): void {
  const { status, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${stderr}`);
}
