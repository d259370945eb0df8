import { requires } from '@teu/testing';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startImageStand, type ImageStand } from './testing/image-stand.js';
import { archiveTar, dockerFiles } from './testing/make-image.js';
import { makeTar, type TarMemberInput } from './testing/make-tar.js';

const STACKS = 12;
const LAYERS = 5;
const NAMES = ['a', 'b', 'c'];
const TREE = [
  `find . -mindepth 1 ! -type d -printf '%P %y %m %U:%G %n %l %T@\\n' | sort`,
  `find . -type d -printf '%P %y %m %U:%G\\n' | sort`,
  `find . -type f | sort | xargs -r sha256sum`,
].join(';');

let besides: ImageStand;
let inOrder: ImageStand;

beforeAll(async () => {
  requires('root', 'overlayfs');
  const start = (limit: string) =>
    startImageStand({ env: { TEU_IMAGE_MAX_PARALLEL_LAYERS: limit } });
  [besides, inOrder] = await Promise.all([start('4'), start('1')]);
});

afterAll(async () => {
  await Promise.all([besides.stop(), inOrder.stop()]);
});

/** The same numbers for the same seed (mulberry32). */
function randomOf(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** What the layers so far have made, so that the next one is none that would be refused. */
class Model {
  readonly #kinds = new Map<string, 'directory' | 'file' | 'link'>();
  readonly #own = new Set<string>();

  readonly #random: (below: number) => number;

  constructor(random: (below: number) => number) {
    this.#random = random;
  }

  /** A layer of members that replace each other, hide what is below, or stand in what only a lower layer has. */
  layer(number: number): Buffer {
    this.#own.clear();
    const members: TarMemberInput[] = number === 0 ? [{ name: './', type: '5', mode: 0o711 }] : [];
    for (let count = 2 + this.#random(8); count > 0; count -= 1) {
      members.push(this.#member(`${number} ${count}`, number > 0));
    }
    return makeTar(...members);
  }

  #member(data: string, hasLower: boolean): TarMemberInput {
    // Mostly in directories of this layer, so that it can be unpacked by itself.
    const own = (path: string): boolean =>
      this.#own.has(path) || (hasLower && this.#random(20) === 0);
    const parents = [
      '',
      ...this.#of('directory')
        .filter(own)
        .map((path) => `${path}/`),
    ];
    const parent = this.#pick(parents);
    const name = parent + this.#pick(NAMES);
    const files = this.#of('file').filter((path) => own(path) && !name.startsWith(path));
    const kind = this.#random(13);
    const mode = 0o600 + this.#random(0o100);
    if (kind < 5) return this.#add(name, 'directory', { name: `${name}/`, type: '5', mode });
    if (kind < 9) return this.#add(name, 'file', { name, data, mode });
    if (kind < 10) return this.#add(name, 'link', { name, type: '2', link: 'nowhere' });
    const target = this.#pick(files);
    // A tree that is replaced takes what is in it along.
    if (kind < 12 && target !== '' && !target.startsWith(name)) {
      return this.#add(name, 'file', { name, type: '1', link: target });
    }
    if (!hasLower || this.#random(3) > 0) return this.#add(name, 'file', { name, data, mode });
    const isOpaque = this.#random(2) === 0;
    return { name: parent + (isOpaque ? '.wh..wh..opq' : `.wh.${this.#hide(name, parent)}`) };
  }

  /** Gives the name that a whiteout hides; another one if this layer has made something there. */
  #hide(name: string, parent: string): string {
    const paths = [...this.#kinds.keys()].filter((path) => `${path}/`.startsWith(`${name}/`));
    if (paths.some((path) => this.#own.has(path))) return 'nothing';
    for (const path of paths) this.#kinds.delete(path);
    return name.slice(parent.length);
  }

  #add(name: string, kind: 'directory' | 'file' | 'link', member: TarMemberInput): TarMemberInput {
    if (kind !== 'directory' || this.#kinds.get(name) !== 'directory') {
      for (const path of [...this.#kinds.keys()].filter((path) => path.startsWith(`${name}/`))) {
        this.#kinds.delete(path);
        this.#own.delete(path);
      }
    }
    this.#kinds.set(name, kind);
    this.#own.add(name);
    return member;
  }

  #of(kind: string): string[] {
    return [...this.#kinds].flatMap(([path, known]) => (known === kind ? [path] : []));
  }

  #pick(from: readonly string[]): string {
    return from[this.#random(from.length)] ?? '';
  }
}

/** The tree of these layers; fails if they are refused. */
async function treeOf(stand: ImageStand, name: string, layers: Buffer[]): Promise<string> {
  const path = stand.file(name, archiveTar(dockerFiles({ layers })));
  await stand.load({ path, reference: name });
  const { snapshot } = await stand.prepare(name);
  return stand.look(snapshot, `stat -c '%a %u:%g' .; ${TREE}`);
}

describe('layers that are unpacked beside each other', () => {
  it.each(Array.from({ length: STACKS }, (_, seed) => seed))(
    'give the tree that they give one after the other (seed %i)',
    async (seed) => {
      const model = new Model(randomOf(seed));
      const layers = Array.from({ length: LAYERS }, (_, number) => model.layer(number));
      const [tree, expected] = await Promise.all([
        treeOf(besides, `stack${seed}`, layers),
        treeOf(inOrder, `stack${seed}`, layers),
      ]);
      expect(tree).toBe(expected);
      process.stderr.write(
        `CASE ${seed} ${expected.split('\n').length} ${expected.slice(0, 90)}\n`,
      );
    },
  );

  it('and have a root like the one below where they do not say', async () => {
    const layers = [
      makeTar({ name: './', type: '5', mode: 0o711 }),
      makeTar({ name: 'd/', type: '5' }, { name: 'd/f', data: 'f' }),
    ];
    expect(await treeOf(besides, 'root', layers)).toMatch(/^711 0:0\n/);
  });

  it.each([
    ['a directory that only a lower layer has', [{ name: 'd/x', data: 'x' }], ['d', 'd/x', 'd/y']],
    ['a whiteout', [{ name: '.wh.d' }], []],
    ['a hard link to a lower file', [{ name: 'h', type: '1', link: 'd/y' }], ['d', 'd/y', 'h']],
    [
      'a directory in the place of a file',
      [
        { name: 'd', data: 'file' },
        { name: 'd/', type: '5' },
      ],
      ['d'],
    ],
  ] satisfies [string, TarMemberInput[], string[]][])('but for %s', async (what, top, paths) => {
    const name = what.replaceAll(' ', '-');
    const base = makeTar({ name: 'd/', type: '5', mode: 0o710 }, { name: 'd/y', data: 'y' });
    const beside = makeTar({ name: 'other', data: name });
    await besides.load({
      path: besides.file(
        name,
        archiveTar(dockerFiles({ layers: [base, makeTar(...top), beside] })),
      ),
      reference: name,
    });
    const { snapshot } = await besides.prepare(name);
    const found = await besides.look(snapshot, 'find . -mindepth 1 -printf "%P\\n" | sort');
    expect(found.split('\n').filter((line) => line !== '')).toEqual([...paths, 'other']);
  });
});
