import { withTimes } from '../tree-case.js';
import type { TreeOperation } from '../tree-operation.js';
import { CHANGES, makeSomething, type RandomContext, type RandomTraits } from './random-changes.js';
import { SeededRandom } from './seeded-random.js';
import { TreeModel } from './tree-model.js';

const LAYERS_MIN = 2;
const LAYERS_MAX = 8;
const CHANGES_PER_LAYER = 30;
/** The first layer has to have something for the others to change. */
const MADE_AT_FIRST = 20;

/** Makes up layers: the same ones from the same seed and for the same traits. */
export function randomStack(seed: string, traits: RandomTraits): TreeOperation[][] {
  const context: RandomContext = {
    random: new SeededRandom(seed),
    model: new TreeModel(),
    traits,
  };
  const count = LAYERS_MIN + context.random.below(LAYERS_MAX - LAYERS_MIN + 1);
  const layers = Array.from({ length: count }, (_, layer) => {
    const operations: TreeOperation[] = [];
    for (let index = 0; index < CHANGES_PER_LAYER; index += 1) {
      const isFirst = layer === 0 && index < MADE_AT_FIRST;
      operations.push(...((isFirst ? makeSomething(context) : randomChange(context)) ?? []));
    }
    context.model.endLayer();
    return operations;
  });
  return withTimes(layers, traits.exactAttributes);
}

const TOTAL_WEIGHT = CHANGES.reduce((sum, [weight]) => sum + weight, 0);

function randomChange(context: RandomContext): TreeOperation[] | undefined {
  let left = context.random.below(TOTAL_WEIGHT);
  for (const [weight, change] of CHANGES) {
    if (left < weight) return change(context);
    left -= weight;
  }
  return undefined;
}
