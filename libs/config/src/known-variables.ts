import type { ConfigKey } from './define-config.js';

/** Variables that concern a whole installation: read outside the services' configuration. */
const SHARED = new Set(['TEU_NATIVE_DIR', 'TEU_FAILPOINTS', 'TEU_CACHE_DIR', 'TEU_NODE']);

/** First words of the variables of one part each; such a variable is no mistake in another part's environment. */
const PARTS = [
  'ENGINE',
  'IMAGE',
  'STORAGE',
  'OVERLAY2',
  'CGROUP',
  'EXECUTOR',
  'NATS',
  'CLI',
  'UP',
  'TEST',
  'BENCH',
];

/**
 * The first variable `TEU_…` that nobody reads: most likely a misspelt one, which must not pass
 * silently. Variables of other parts pass; those of a part that this definition has keys of must fit.
 */
export function unknownVariable(
  keys: Readonly<Record<string, ConfigKey<unknown>>>,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const known = new Set(Object.values(keys).map((key) => key.env));
  const partOf = (variable: string): string | undefined =>
    PARTS.find((part) => variable.startsWith(`TEU_${part}_`));
  const ownParts = new Set(
    [...known].map((variable) => (variable === undefined ? undefined : partOf(variable))),
  );
  return Object.keys(env).find((variable) => {
    if (!variable.startsWith('TEU_') || known.has(variable) || SHARED.has(variable)) return false;
    const part = partOf(variable);
    return part === undefined || ownParts.has(part);
  });
}
