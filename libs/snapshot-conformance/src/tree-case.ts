import type { ConformanceCase } from './conformance-case.js';
import { compareStacks, DriverStack, PlainStack } from './layer-stack.js';
import { keepsExactAttributes, keepsXattrs } from './run-case.js';
import type { TreeOperation } from './tree-operation.js';

/** A case that is nothing but changes, layer by layer. */
export interface TreeCase extends Pick<ConformanceCase, 'name' | 'needs' | 'layers'> {
  readonly changes: readonly (readonly TreeOperation[])[];
  /** Numbers of the layers to read in the end; all if absent. */
  readonly looks?: readonly number[];
}

/**
 * Makes a case of changes: every layer must look like a plain directory to which the same was done,
 * while it is written and when it is read.
 */
export function treeCase({ changes, looks, ...about }: TreeCase): ConformanceCase {
  return {
    ...about,
    run: async (context) => {
      const stackContext = { ...context, xattrs: keepsXattrs(context.traits) };
      const stacks = [new PlainStack(stackContext), new DriverStack('the driver', stackContext)];
      const layers = withTimes(changes, keepsExactAttributes(context.traits));
      await compareStacks(layers, stacks, looks);
    },
  };
}

const CHANGES_TIME = new Set<TreeOperation['do']>(['write', 'append', 'patch', 'truncate']);
const FIRST_SECOND = 1_000_000_000;

/** Follows up whatever changes the time of a file by a time that is the same wherever it is done. */
export function withTimes(
  changes: readonly (readonly TreeOperation[])[],
  nanoseconds: boolean,
): TreeOperation[][] {
  let second = FIRST_SECOND;
  const timed = (operation: TreeOperation): TreeOperation[] => {
    if (!CHANGES_TIME.has(operation.do)) return [operation];
    second += 1;
    const beyond = nanoseconds ? (second * 7919) % 1_000_000_000 : 0;
    const nanos = String(beyond).padStart(9, '0');
    return [operation, { do: 'utime', path: operation.path, time: `${second}${nanos}` }];
  };
  return changes.map((operations) => operations.flatMap(timed));
}
