import type { NodeType, TreeOperation } from '../tree-operation.js';
import { acl, capability } from '../xattr-values.js';
import type { SeededRandom } from './seeded-random.js';
import type { ModelEntry, TreeModel } from './tree-model.js';

/** What changes may use of a driver. */
export interface RandomTraits {
  readonly exactAttributes: boolean;
  readonly xattrs: boolean;
  readonly hardLinksAcrossLayers: boolean;
  readonly allNames: boolean;
}

/** What a change is made from. */
export interface RandomContext {
  readonly random: SeededRandom;
  readonly model: TreeModel;
  readonly traits: RandomTraits;
}

type Change = (context: RandomContext) => TreeOperation[] | undefined;

/** Few names, so that they are made, removed and made again. */
const NAMES = ['a', 'b', 'c', 'd', 'e f', 'ü', 'n'.repeat(200), 'A', '.h', '\udcff', '.wh..'];
/** Stands for one that begins with ".wh." where there can be none. */
const ORDINARY_NAME = '..wh';
const MODES = [0o644, 0o600, 0o755, 0o4755, 0o2755, 0o1777, 0o000, 0o711];
const NODES: readonly NodeType[] = ['fifo', 'socket', 'char', 'block'];
const DEPTH_MAX = 4;
const SIZE_MAX = 20_000;
const CAPABILITIES = 'security.capability';
const ACCESS_LIST = 'system.posix_acl_access';

/** Every kind of change, and how often it is made. A kind that is not possible now gives undefined. */
export const CHANGES: readonly (readonly [weight: number, change: Change])[] = [
  [20, makeSomething],
  [8, changeContent],
  [8, removeSomething],
  [7, replaceSomething],
  [6, renameFile],
  [5, renameDirectory],
  [5, linkFile],
  [6, changeMode],
  [5, changeOwner],
  [3, changeTime],
  [6, setAttribute],
  [3, removeAttribute],
];

/** Makes anything at a path that is free. */
export function makeSomething(context: RandomContext): TreeOperation[] | undefined {
  const path = freePath(context);
  return path === undefined ? undefined : makeAt(context, path);
}

function makeAt({ random, model }: RandomContext, path: string): TreeOperation[] {
  const kind = random.below(10);
  if (kind < 3) {
    const mode = random.pick(MODES) ?? 0o755;
    model.add(path, 'directory', mode);
    return [{ do: 'mkdir', path, mode }];
  }
  if (kind === 3) {
    model.add(path, 'symlink', 0o777);
    return [{ do: 'symlink', path, target: `../${random.pick(NAMES) ?? ''}` }];
  }
  if (kind === 4) {
    model.add(path, 'node', 0o640);
    const type = random.pick(NODES) ?? 'fifo';
    // Minor 0 of major 0 would be a whiteout of overlay.
    return [{ do: 'node', path, type, mode: 0o640, major: 1, minor: 1 + random.below(9) }];
  }
  const entry = model.add(path, 'file', 0o644);
  entry.size = random.below(SIZE_MAX);
  return [{ do: 'write', path, seed: random.below(2 ** 31), size: entry.size }];
}

function changeContent(context: RandomContext): TreeOperation[] | undefined {
  const { random } = context;
  const [path, entry] = pickEntry(context, ({ kind }) => kind === 'file') ?? [];
  if (path === undefined || entry === undefined) return undefined;
  const content = { seed: random.below(2 ** 31), size: 1 + random.below(5000) };
  const kinds: (() => TreeOperation)[] = [
    () => ((entry.size = content.size), { do: 'write', path, ...content }),
    () => ((entry.size += content.size), { do: 'append', path, ...content }),
    () => ({ do: 'truncate', path, size: (entry.size = random.below(SIZE_MAX)) }),
    () => {
      const offset = random.below(entry.size + 10_000);
      entry.size = Math.max(entry.size, offset + content.size);
      return { do: 'patch', path, offset, ...content };
    },
  ];
  const operation = random.pick(kinds)?.();
  if (operation === undefined) return undefined;
  return [...dropCapabilities(path, entry), operation, ...restoreMode(path, entry)];
}

function removeSomething({ random, model }: RandomContext): TreeOperation[] | undefined {
  const path = random.pick(model.paths(() => true));
  if (path === undefined) return undefined;
  model.remove(path);
  return [{ do: 'remove', path }];
}

/** Removes something and makes something else of the same name. */
function replaceSomething(context: RandomContext): TreeOperation[] | undefined {
  const path = context.random.pick(context.model.paths(() => true));
  if (path === undefined) return undefined;
  context.model.remove(path);
  return [{ do: 'remove', path }, ...makeAt(context, path)];
}

/** Renames what is no directory, to a free path or over a file. */
function renameFile(context: RandomContext): TreeOperation[] | undefined {
  const { random, model } = context;
  const [path, entry] = pickEntry(context, ({ kind }) => kind !== 'directory') ?? [];
  const others = model.paths((other) => other.kind === 'file' && other !== entry);
  const to = random.chance(30) ? random.pick(others) : freePath(context);
  if (path === undefined || to === undefined) return undefined;
  model.move(path, to);
  return [{ do: 'rename', path, to }];
}

/** Renames a directory, to a free path or over an empty one. */
function renameDirectory(context: RandomContext): TreeOperation[] | undefined {
  const { random, model } = context;
  const path = random.pick(model.paths(({ kind }) => kind === 'directory'));
  // Where renaming means copying, a file that is linked from elsewhere becomes two.
  if (path === undefined || model.hasLinksOutOf(path)) return undefined;
  const isInside = (other: string): boolean => other === path || other.startsWith(`${path}/`);
  const empty = model.directories().filter((other) => other !== '' && model.isEmpty(other));
  const to = random.chance(40) ? random.pick(empty) : freePath(context);
  if (to === undefined || isInside(to)) return undefined;
  model.move(path, to);
  return [{ do: 'rename', path, to }];
}

function linkFile(context: RandomContext): TreeOperation[] | undefined {
  const isLinkable = ({ kind }: ModelEntry): boolean => kind === 'file' || kind === 'node';
  const [path, entry] = pickEntry(context, isLinkable) ?? [];
  const to = freePath(context);
  if (path === undefined || entry === undefined || to === undefined) return undefined;
  context.model.link(to, entry);
  return [{ do: 'link', path, to }];
}

function changeMode(context: RandomContext): TreeOperation[] | undefined {
  const [path, entry] = pickEntry(context, ({ kind }) => kind !== 'symlink') ?? [];
  if (path === undefined || entry === undefined) return undefined;
  entry.mode = context.random.pick(MODES) ?? 0o644;
  return [{ do: 'chmod', path, mode: entry.mode }];
}

function changeOwner(context: RandomContext): TreeOperation[] | undefined {
  const { random } = context;
  const [path, entry] = pickEntry(context, () => true) ?? [];
  if (path === undefined || entry === undefined) return undefined;
  const owner: TreeOperation = {
    do: 'chown',
    path,
    uid: random.below(70_000),
    gid: random.below(70_000),
  };
  return [...dropCapabilities(path, entry), owner, ...restoreMode(path, entry)];
}

function changeTime(context: RandomContext): TreeOperation[] | undefined {
  const { random, traits } = context;
  const [path] = pickEntry(context, ({ kind }) => kind === 'file') ?? [];
  if (path === undefined) return undefined;
  const beyond = random.below(1_000_000_000);
  const nanos = String(traits.exactAttributes ? beyond : 0).padStart(9, '0');
  // The last second of 32 bits, of which one is the sign, is 2^31 - 1.
  return [{ do: 'utime', path, time: `${1 + random.below(2 ** 31 - 1)}${nanos}` }];
}

function setAttribute(context: RandomContext): TreeOperation[] | undefined {
  const { random, traits } = context;
  const isHolder = ({ kind }: ModelEntry): boolean => kind === 'file' || kind === 'directory';
  const [path, entry] = pickEntry(context, isHolder) ?? [];
  if (!traits.xattrs || path === undefined || entry === undefined) return undefined;
  const values: [string, string][] = [
    [
      'user.a',
      random
        .below(2 ** 32)
        .toString(16)
        .padStart(8, '0'),
    ],
    ['user.b', ''],
    ['trusted.c', 'cd'.repeat(random.below(300))],
    [ACCESS_LIST, acl(random.below(70_000))],
  ];
  if (entry.kind === 'file') values.push([CAPABILITIES, capability(random.below(30))]);
  const [name, value] = random.pick(values) ?? ['user.a', ''];
  entry.xattrs.add(name);
  return [{ do: 'set-xattr', path, name, value }];
}

function removeAttribute(context: RandomContext): TreeOperation[] | undefined {
  const [path, entry] = pickEntry(context, ({ xattrs }) => xattrs.size > 0) ?? [];
  const name = context.random.pick([...(entry?.xattrs ?? [])]);
  if (path === undefined || name === undefined) return undefined;
  entry?.xattrs.delete(name);
  return [{ do: 'remove-xattr', path, name }];
}

function pickName({ random, traits }: RandomContext): string {
  const name = random.pick(NAMES) ?? '';
  return !traits.allNames && name.startsWith('.wh.') ? ORDINARY_NAME : name;
}

/** Something that may be changed, by one of its names. */
function pickEntry(
  { random, model, traits }: RandomContext,
  condition: (entry: ModelEntry) => boolean,
): [string, ModelEntry] | undefined {
  const isOpen = ({ isLower, names }: ModelEntry): boolean =>
    traits.hardLinksAcrossLayers || !isLower || names.size === 1;
  const path = random.pick(model.paths((entry) => condition(entry) && isOpen(entry)));
  const entry = path === undefined ? undefined : model.get(path);
  return path === undefined || entry === undefined ? undefined : [path, entry];
}

function freePath(context: RandomContext): string | undefined {
  const { random, model } = context;
  const isDeep = (path: string): boolean => path.split('/').length >= DEPTH_MAX;
  const parent = random.pick(model.directories().filter((path) => !isDeep(path))) ?? '';
  const path = `${parent === '' ? '' : `${parent}/`}${pickName(context)}`;
  return model.get(path) === undefined ? path : undefined;
}

/** The kernel drops file capabilities when a file changes; not every file system is so careful. */
function dropCapabilities(path: string, { xattrs }: ModelEntry): TreeOperation[] {
  if (!xattrs.delete(CAPABILITIES)) return [];
  return [{ do: 'remove-xattr', path, name: CAPABILITIES }];
}

/** The same goes for set-user-ID and set-group-ID, and who is root. */
function restoreMode(path: string, { kind, mode }: ModelEntry): TreeOperation[] {
  return kind === 'symlink' ? [] : [{ do: 'chmod', path, mode }];
}
