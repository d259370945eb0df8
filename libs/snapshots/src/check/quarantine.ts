import { FindingKind } from '@teu/proto/storage';
import type { TreeDifference } from './compare-tree.js';

const WORDS: Readonly<Partial<Record<FindingKind, string>>> = {
  [FindingKind.FINDING_KIND_MISSING_FILE]: 'is missing',
  [FindingKind.FINDING_KIND_EXTRA_FILE]: 'was not there at the commit',
  [FindingKind.FINDING_KIND_CHANGED_DATA]: 'has other content than at the commit',
  [FindingKind.FINDING_KIND_CHANGED_ATTRIBUTES]: 'has other attributes than at the commit',
};
/** Most characters of a path in a text that errors quote. */
const SHOWN_PATH = 256;

export function isMended({ became }: TreeDifference): boolean {
  return became === 'mended';
}

/** Says why nothing may stand on a snapshot with these differences; null if all were mended. */
export function quarantineText(differences: readonly TreeDifference[]): string | null {
  const left = differences.filter((difference) => !isMended(difference));
  const [first] = left;
  if (first === undefined) return null;
  const others = left.length === 1 ? '' : `, and ${left.length - 1} more`;
  return `"${first.path.slice(0, SHOWN_PATH)}" ${WORDS[first.kind] ?? 'is different'}${others}`;
}
