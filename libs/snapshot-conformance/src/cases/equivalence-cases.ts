import { Capability } from '@teu/proto/storage';
import type { CaseContext, ConformanceCase } from '../conformance-case.js';
import { compareStacks, DriverStack, PlainStack, type LayerStack } from '../layer-stack.js';
import { randomStack } from '../random/random-stack.js';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';

/** A plain directory says as much as a reference driver, and costs less: so many stacks have both. */
const REFERENCE_STACKS = 8;

/** Layers that nobody thought of. */
export const EQUIVALENCE_CASES: readonly ConformanceCase[] = [
  {
    name: 'random-layers',
    run: async (context) => {
      const { seed, stacks } = context.random;
      for (let index = 0; index < stacks; index += 1) {
        // So that the seed of one stack, given as the seed, makes it the first one.
        context.signal?.throwIfAborted();
        const work = join(context.work, String(index));
        mkdirSync(work);
        const { reference, ...others } = context;
        const isReferred = index < REFERENCE_STACKS && reference !== undefined;
        await compareRandomStack(
          { ...others, work, ...(isReferred && { reference }) },
          index === 0 ? seed : `${seed}.${index}`,
        );
      }
    },
  },
];

async function compareRandomStack(context: CaseContext, seed: string): Promise<void> {
  const { reference, traits } = context;
  const has = (capability: Capability): boolean =>
    traits.capabilities.has(capability) && (reference?.traits.capabilities.has(capability) ?? true);
  const xattrs = has(Capability.CAPABILITY_XATTRS);
  const hardLinksAcrossLayers = has(Capability.CAPABILITY_HARD_LINKS_ACROSS_LAYERS);
  const exactAttributes = has(Capability.CAPABILITY_EXACT_ATTRIBUTES);
  const allNames = has(Capability.CAPABILITY_ALL_NAMES);
  const key = (text: string): string => context.key(`${seed}/${text}`);
  const stackContext = { ...context, xattrs, key };
  const stacks: LayerStack[] = [
    new PlainStack(stackContext),
    new DriverStack('the driver', stackContext),
  ];
  if (reference !== undefined) {
    stacks.push(new DriverStack('the reference driver', { ...stackContext, ...reference }));
  }
  const layers = randomStack(seed, { xattrs, hardLinksAcrossLayers, exactAttributes, allNames });
  try {
    await compareStacks(layers, stacks, [0, layers.length - 1]);
  } catch (cause) {
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new Error(`with the seed ${seed}: ${message}`, { cause });
  }
}
