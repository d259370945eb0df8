import type { TarPart } from './hostile-tar.js';

/** A tree: each path with whether it is a directory. */
export type Model = Map<string, 'd' | 'f'>;

const WHITEOUT = '.wh.';
const OPAQUE = '.wh..wh..opq';

/**
 * Applies a layer as image-spec (layer.md) says: what it hides is what lower layers have, whatever the order within the layer; then
 * comes what it has itself.
 */
export function applyToModel(model: Model, layer: readonly TarPart[]): void {
  const names = layer.map(({ name }) => String(name).replace(/\/$/, ''));
  for (const name of names) {
    const parent = parentOf(name);
    const last = lastOf(name);
    if (last === OPAQUE) removeBelow(model, parent);
    else if (last.startsWith(WHITEOUT)) remove(model, join(parent, last.slice(WHITEOUT.length)));
  }
  layer.forEach(({ type }, index) => {
    const name = names[index] ?? '';
    addParents(model, name);
    if (lastOf(name).startsWith(WHITEOUT)) return;
    if (type === '5') {
      model.set(name, 'd');
    } else {
      remove(model, name);
      model.set(name, 'f');
    }
  });
}

/** The model as `find -printf '%y %P\n'` lists a tree, sorted. */
export function listModel(model: Model): string[] {
  return [...model].map(([path, kind]) => `${kind} ${path}`).sort();
}

/** A layer of names that meet again and again; the same for the same seed. */
export function randomLayer(seed: number): TarPart[] {
  const next = generator(seed);
  const pick = <T>(list: readonly T[]): T => list[next(list.length)] as T;
  const parts = new Map<string, TarPart>();
  for (let count = 0; count < 12; count += 1) {
    const parent = pick(['', 'd', 'e', 'd/s']);
    const kind = next(6);
    const leaf = pick(['p', 'q', 'r']);
    // Directories have names of their own: no layer puts a file where another's directory is.
    const name =
      kind < 3 ? leaf : kind === 3 ? `${WHITEOUT}${leaf}` : kind === 4 ? `${WHITEOUT}s` : OPAQUE;
    const path = join(parent, name);
    parts.set(path, { name: path, data: `${String(seed)} ${path}` });
  }
  // A layer with a name and its whiteout has both, in this order or the other.
  return [...parts.values()];
}

/** Numbers below a bound, always the same for a seed (a linear congruence modulo 2^32). */
function generator(seed: number): (bound: number) => number {
  let state = seed >>> 0;
  return (bound) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

function addParents(model: Model, name: string): void {
  for (let parent = parentOf(name); parent !== ''; parent = parentOf(parent)) {
    model.set(parent, 'd');
  }
}

function remove(model: Model, path: string): void {
  model.delete(path);
  removeBelow(model, path);
}

function removeBelow(model: Model, path: string): void {
  const prefix = path === '' ? '' : `${path}/`;
  for (const other of [...model.keys()]) if (other.startsWith(prefix)) model.delete(other);
}

const join = (parent: string, name: string): string => (parent === '' ? name : `${parent}/${name}`);
const parentOf = (name: string): string => name.slice(0, Math.max(0, name.lastIndexOf('/')));
const lastOf = (name: string): string => name.slice(name.lastIndexOf('/') + 1);
