import { digestOf } from './digest.js';

/** Chain ids of layers from the base up (image-spec, config.md, "Layer ChainID"). */
export function chainIds(diffIds: readonly string[]): string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) chain.push(nextChainId(chain.at(-1), diffId));
  return chain;
}

/** Chain id of a layer on top of `parent`; of the base layer it is its own diff id. */
export function nextChainId(parent: string | undefined, diffId: string): string {
  return parent === undefined ? diffId : digestOf(`${parent} ${diffId}`);
}
