import { strict as assert } from 'node:assert';
import { chmodSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { withMounted, type CaseContext } from './conformance-case.js';
import type { TreeLine, TreeOperation } from './tree-operation.js';

/** Layers that are made one on the other. */
export interface LayerStack {
  /** What to call it in a failure. */
  readonly name: string;
  /** Makes a layer of the changes. Gives the tree as whoever writes to the layer sees it. */
  addLayer(changes: readonly TreeOperation[]): Promise<TreeLine[]>;
  /** The tree of a layer, by number from 0, as it is now. */
  look(layer: number): Promise<TreeLine[]>;
}

type StackContext = Pick<CaseContext, 'tree' | 'work'> & { readonly xattrs: boolean };

/** What layers have to look like: one plain directory that is changed step by step. */
export class PlainStack implements LayerStack {
  readonly name = 'a plain directory';
  readonly #context: StackContext;
  readonly #root: string;
  readonly #layers: TreeLine[][] = [];

  constructor(context: StackContext) {
    this.#context = context;
    this.#root = join(context.work, 'plain');
    mkdirSync(this.#root);
    chmodSync(this.#root, 0o755);
  }

  async addLayer(changes: readonly TreeOperation[]): Promise<TreeLine[]> {
    const { tree, xattrs } = this.#context;
    await tree.run(this.#root, changes);
    const lines = await tree.list(this.#root, { xattrs });
    this.#layers.push(lines);
    return lines;
  }

  async look(layer: number): Promise<TreeLine[]> {
    return this.#layers[layer] ?? [];
  }
}

/** Layers of a driver, through real mounts. */
export class DriverStack implements LayerStack {
  readonly name: string;
  readonly #context: StackContext & Pick<CaseContext, 'snapshots' | 'key'>;
  readonly #layers: string[] = [];

  constructor(name: string, context: StackContext & Pick<CaseContext, 'snapshots' | 'key'>) {
    this.name = name;
    this.#context = context;
  }

  async addLayer(changes: readonly TreeOperation[]): Promise<TreeLine[]> {
    const { snapshots, key, tree, xattrs } = this.#context;
    const active = key(`making layer ${this.#layers.length}`);
    const mounts = await snapshots.prepare(active, this.#layers.at(-1));
    const lines = await withMounted(this.#context, mounts, async (root) => {
      await tree.run(root, changes);
      return await tree.list(root, { xattrs });
    });
    const name = key(`layer ${this.#layers.length}`);
    await snapshots.commit(name, active);
    this.#layers.push(name);
    return lines;
  }

  async look(layer: number): Promise<TreeLine[]> {
    const { snapshots, key, tree, xattrs } = this.#context;
    const view = key(`look at layer ${layer}`);
    const mounts = await snapshots.view(view, this.#layers[layer]);
    const lines = await withMounted(this.#context, mounts, (root) => tree.list(root, { xattrs }));
    await snapshots.remove(view);
    return lines;
  }
}

/**
 * Makes the same layers in every stack and compares what they look like with the first one: each as
 * it is written, and in the end those asked for, by number, as they are read.
 *
 * @throws AssertionError that shows the entries that differ
 */
export async function compareStacks(
  layers: readonly (readonly TreeOperation[])[],
  stacks: readonly LayerStack[],
  looks: readonly number[] = layers.keys().toArray(),
): Promise<void> {
  for (const [index, changes] of layers.entries()) {
    await expectSame(stacks, `layer ${index} while written`, (stack) => stack.addLayer(changes));
  }
  for (const index of looks) {
    await expectSame(stacks, `layer ${index}`, (stack) => stack.look(index));
  }
}

async function expectSame(
  stacks: readonly LayerStack[],
  what: string,
  list: (stack: LayerStack) => Promise<TreeLine[]>,
): Promise<void> {
  const [reference, ...others] = stacks;
  if (reference === undefined) return;
  const expected = await list(reference);
  for (const stack of others) {
    const differences = differencesOf(expected, await list(stack));
    if (differences.length === 0) continue;
    const shown = differences.slice(0, DIFFERENCES_SHOWN).join('\n');
    assert.fail(
      `${what} of ${stack.name} differs from that of ${reference.name} in ${differences.length} entries:\n${shown}`,
    );
  }
}

const DIFFERENCES_SHOWN = 8;

function differencesOf(expected: readonly TreeLine[], actual: readonly TreeLine[]): string[] {
  const wanted = new Map(expected.map((line) => [line.path, JSON.stringify(line)]));
  const found = new Map(actual.map((line) => [line.path, JSON.stringify(line)]));
  const paths = [...new Set([...wanted.keys(), ...found.keys()])];
  return paths
    .filter((path) => wanted.get(path) !== found.get(path))
    .map(
      (path) =>
        `  expected ${wanted.get(path) ?? `no ${JSON.stringify(path)}`}\n       got ${found.get(path) ?? 'nothing'}`,
    );
}
