import { ChangeKind, ImageServiceService, type Change } from '@teu/proto/image';
import type { Peers } from '../../peers/peers.js';

/** Two snapshots of a driver to be compared. */
export interface Comparison {
  driver: string;
  from: string;
  to: string;
}

/** Tells in what two snapshots differ, in order of the paths' bytes, some at a time. */
export async function* compareSnapshots(
  { image }: Peers,
  comparison: Comparison,
  signal: AbortSignal,
): AsyncGenerator<Change[], void, undefined> {
  const method = ImageServiceService.compareSnapshots;
  for await (const { changes } of image.serverStream(method, comparison, { signal })) {
    if (changes.length > 0) yield changes;
  }
}

/** A name that two sides have touched, and how. */
export interface Clash {
  path: string;
  baseChange: ChangeKind;
  ownChange: ChangeKind;
}

const { CHANGE_KIND_REMOVED, CHANGE_KIND_ATTRIBUTES } = ChangeKind;

/** What a new base does, to be asked whether somebody else touched the same. */
export class BaseChangeIndex {
  readonly #kinds = new Map<string, ChangeKind>();
  /** All paths in order; undefined while not asked for. */
  #sorted: string[] | undefined;

  /** Takes changes in. */
  add(changes: readonly Change[]): void {
    for (const { path, kind } of changes) this.#kinds.set(path, kind);
    this.#sorted = undefined;
  }

  get size(): number {
    return this.#kinds.size;
  }

  /**
   * Names that the base and an own change touch both. One that is removed stands for all that was below it. Directories
   * in which both sides made something differ in their times on both, so attributes on both sides are no clash.
   */
  clashes({ path, kind: ownChange }: Change): Clash[] {
    const found: Clash[] = [];
    const baseChange = this.#kinds.get(path);
    const isOnlyAttributes =
      baseChange === CHANGE_KIND_ATTRIBUTES && ownChange === CHANGE_KIND_ATTRIBUTES;
    if (baseChange !== undefined && !isOnlyAttributes) found.push({ path, baseChange, ownChange });
    if (baseChange === undefined && this.#isRemovedAbove(path)) {
      found.push({ path, baseChange: CHANGE_KIND_REMOVED, ownChange });
    }
    if (ownChange !== CHANGE_KIND_REMOVED) return found;
    for (const [below, kind] of this.#below(path)) {
      found.push({ path: below, baseChange: kind, ownChange });
    }
    return found;
  }

  #isRemovedAbove(path: string): boolean {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      if (this.#kinds.get(path.slice(0, end)) === CHANGE_KIND_REMOVED) return true;
    }
    return false;
  }

  *#below(directory: string): Generator<[string, ChangeKind]> {
    this.#sorted ??= [...this.#kinds.keys()].sort();
    const prefix = `${directory}/`;
    for (let at = lowerBound(this.#sorted, prefix); ; at += 1) {
      const path = this.#sorted[at];
      if (path?.startsWith(prefix) !== true) return;
      const kind = this.#kinds.get(path);
      if (kind !== undefined && kind !== CHANGE_KIND_ATTRIBUTES) yield [path, kind];
    }
  }
}

/** Place of the first text in order that is not before this one. */
function lowerBound(sorted: readonly string[], text: string): number {
  let low = 0;
  let high = sorted.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((sorted[middle] ?? '') < text) low = middle + 1;
    else high = middle;
  }
  return low;
}
