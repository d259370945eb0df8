import { Capability } from '@teu/proto/storage';
import type { ConformanceCase } from '../conformance-case.js';
import { treeCase } from '../tree-case.js';
import type { TreeOperation } from '../tree-operation.js';

type Making = (path: string) => TreeOperation[];

/** What a name can stand for. */
const MAKINGS: Readonly<Record<string, Making>> = {
  file: (path) => [{ do: 'write', path, text: `I am ${path}` }],
  directory: (path) => [
    { do: 'mkdir', path, mode: 0o750 },
    { do: 'mkdir', path: `${path}/sub`, mode: 0o755 },
    { do: 'write', path: `${path}/sub/file`, text: 'deep' },
    { do: 'write', path: `${path}/file`, text: 'in a directory' },
  ],
  symlink: (path) => [{ do: 'symlink', path, target: 'nowhere/at all' }],
  fifo: (path) => [{ do: 'node', path, type: 'fifo', mode: 0o640 }],
};

const PAIRS = Object.entries(MAKINGS).flatMap(([before, makeBefore]) =>
  Object.entries(MAKINGS).map(([after, makeAfter]) => ({
    path: `${before} to ${after}`,
    makeBefore,
    makeAfter,
  })),
);

/** How layers hide, replace and move what lies below them. */
export const LAYER_CASES: readonly ConformanceCase[] = [
  treeCase({
    name: 'whiteouts',
    changes: [
      [
        ...Object.entries(MAKINGS).flatMap(([path, make]) => make(path)),
        { do: 'mkdir', path: 'kept', mode: 0o755 },
        { do: 'write', path: 'kept/gone', text: 'a' },
        { do: 'write', path: 'kept/stays', text: 'b' },
      ],
      [
        ...Object.keys(MAKINGS).map((path): TreeOperation => ({ do: 'remove', path })),
        { do: 'unlink', path: 'kept/gone' },
      ],
      // Removed, made and removed again: what was hidden stays hidden.
      [...Object.entries(MAKINGS).flatMap(([path, make]) => make(path))],
      [...Object.keys(MAKINGS).map((path): TreeOperation => ({ do: 'remove', path }))],
    ],
  }),
  treeCase({
    name: 'other-type-in-its-place',
    changes: [
      PAIRS.flatMap(({ path, makeBefore }) => makeBefore(path)),
      PAIRS.flatMap(({ path, makeAfter }) => [{ do: 'remove', path }, ...makeAfter(path)]),
      PAIRS.flatMap(({ path, makeBefore }) => [{ do: 'remove', path }, ...makeBefore(path)]),
    ],
  }),
  treeCase({
    name: 'opaque-directories',
    changes: [
      [
        { do: 'mkdir', path: 'dir', mode: 0o755 },
        { do: 'mkdir', path: 'dir/sub', mode: 0o700 },
        { do: 'write', path: 'dir/sub/low', text: 'low' },
        { do: 'write', path: 'dir/low', text: 'low' },
      ],
      [
        { do: 'remove', path: 'dir' },
        { do: 'mkdir', path: 'dir', mode: 0o711 },
        { do: 'write', path: 'dir/middle', text: 'middle' },
      ],
      // What comes on top of an opaque directory is merged with it, and with nothing below it.
      [
        { do: 'mkdir', path: 'dir/sub', mode: 0o755 },
        { do: 'write', path: 'dir/top', text: 'top' },
      ],
      [
        { do: 'remove', path: 'dir/sub' },
        { do: 'chmod', path: 'dir', mode: 0o755 },
      ],
    ],
  }),
  treeCase({
    name: 'rename-over-lower-directories',
    changes: [
      [
        { do: 'mkdir', path: 'one', mode: 0o2750 },
        { do: 'mkdir', path: 'one/deep', mode: 0o755 },
        { do: 'write', path: 'one/deep/file', text: 'x' },
        { do: 'link', path: 'one/deep/file', to: 'one/deep/again' },
        { do: 'symlink', path: 'one/soft', target: 'deep/file' },
        { do: 'mkdir', path: 'empty', mode: 0o755 },
        { do: 'mkdir', path: 'two', mode: 0o755 },
        { do: 'write', path: 'two/file', text: 'two' },
      ],
      [
        { do: 'rename', path: 'one', to: 'three' },
        { do: 'rename', path: 'two', to: 'empty' },
        { do: 'write', path: 'empty/more', text: 'more' },
      ],
      [
        { do: 'rename', path: 'three', to: 'one' },
        { do: 'mkdir', path: 'fresh', mode: 0o755 },
        { do: 'rename', path: 'fresh', to: 'two' },
        { do: 'rename', path: 'one/deep', to: 'two/deep' },
      ],
    ],
  }),
  treeCase({
    name: 'rename-files-over-files',
    changes: [
      ['a', 'b', 'c'].flatMap((path) => MAKINGS['file']?.(path) ?? []),
      [
        { do: 'rename', path: 'a', to: 'b' },
        { do: 'rename', path: 'c', to: 'a' },
      ],
      [
        { do: 'write', path: 'new', text: 'new' },
        { do: 'rename', path: 'new', to: 'a' },
        { do: 'rename', path: 'b', to: 'c' },
      ],
    ],
  }),
  treeCase({
    name: 'hard-links',
    changes: [
      [
        { do: 'write', path: 'file', text: 'x' },
        { do: 'link', path: 'file', to: 'hard' },
        { do: 'mkdir', path: 'dir', mode: 0o755 },
        { do: 'link', path: 'file', to: 'dir/hard' },
        { do: 'write', path: 'single', text: 'y' },
        { do: 'node', path: 'pipe', type: 'fifo', mode: 0o600 },
        { do: 'link', path: 'pipe', to: 'pipe again' },
      ],
      [
        { do: 'unlink', path: 'hard' },
        { do: 'link', path: 'single', to: 'dir/pair' },
        { do: 'append', path: 'single', text: 'more' },
      ],
      [{ do: 'write', path: 'other', text: 'z' }],
    ],
  }),
  treeCase({
    name: 'hard-links-across-layers',
    needs: [Capability.CAPABILITY_HARD_LINKS_ACROSS_LAYERS],
    changes: [
      [
        { do: 'write', path: 'a', text: 'x' },
        { do: 'link', path: 'a', to: 'b' },
        { do: 'link', path: 'a', to: 'c' },
      ],
      [
        { do: 'append', path: 'a', text: 'seen through all names' },
        { do: 'chmod', path: 'b', mode: 0o600 },
      ],
      [
        { do: 'link', path: 'c', to: 'd' },
        { do: 'rename', path: 'a', to: 'e' },
        { do: 'chown', path: 'b', uid: 11, gid: 12 },
      ],
    ],
  }),
  deepStackCase(128),
];

/** As many layers as that on top of each other. */
export function deepStackCase(depth: number): ConformanceCase {
  return treeCase({
    name: `layers-${String(depth)}`,
    layers: depth,
    changes: Array.from({ length: depth }, layerOfDeepStack),
    looks: [0, 1, Math.floor(depth / 2) - 1, depth - 2, depth - 1],
  });
}

/** Every layer adds a file, changes one that all change, and removes the one of the layer before. */
function layerOfDeepStack(_: unknown, layer: number): TreeOperation[] {
  const removed: TreeOperation[] =
    layer === 0 ? [] : [{ do: 'unlink', path: `only in ${layer - 1}` }];
  return [
    { do: 'write', path: `from ${layer}`, text: `layer ${layer}` },
    { do: 'write', path: 'last', text: `layer ${layer} was the last` },
    { do: 'write', path: `only in ${layer}`, text: 'x' },
    ...removed,
  ];
}
