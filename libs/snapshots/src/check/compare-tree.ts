import { FindingKind } from '@teu/proto/storage';
import type { SnapshotContext } from '../context.js';
import { treeLines } from '../tree-program.js';
import { unescapeField } from '../tree-text.js';

/** A difference between a tree and its manifest. */
export interface TreeDifference {
  readonly kind: FindingKind;
  readonly path: string;
  readonly detail: string;
  /** What mending made of it; "found" if there is nothing to be done about it, or only a check. */
  readonly became: 'found' | 'mended' | 'failed';
}

/** All differences, and how much was looked at. */
export interface TreeComparison {
  readonly differences: readonly TreeDifference[];
  readonly fileCount: number;
  readonly readBytes: number;
}

/** What is compared, and how. */
export interface TreeQuestion {
  readonly id: number;
  /** Digest that the manifest must have. */
  readonly digest: string;
  readonly readData: boolean;
  /** Set back what is set back without touching content. */
  readonly mend: boolean;
}

const KINDS: Readonly<Record<string, FindingKind>> = {
  missing: FindingKind.FINDING_KIND_MISSING_FILE,
  extra: FindingKind.FINDING_KIND_EXTRA_FILE,
  'changed-data': FindingKind.FINDING_KIND_CHANGED_DATA,
  'changed-attributes': FindingKind.FINDING_KIND_CHANGED_ATTRIBUTES,
};

/**
 * Compares the tree of a committed snapshot with its manifest.
 *
 * @throws TreeProgramError, with `isManifestDamaged` if there is nothing to compare with
 */
export async function compareTree(
  { trees, manifests }: SnapshotContext,
  { id, digest, readData, mend }: TreeQuestion,
  signal: AbortSignal,
): Promise<TreeComparison> {
  const compare = async (tree: string, ending: AbortSignal): Promise<TreeComparison> => {
    const differences: TreeDifference[] = [];
    let fileCount = 0;
    let readBytes = 0;
    const flags = ['--idle', '--digest', digest, ...(readData ? ['--read-data'] : [])];
    const args = [mend ? 'mend' : 'check', tree, manifests.path(id), ...flags];
    for await (const line of treeLines(args, { signal: ending })) {
      const [word = '', became = '', path = '', detail = ''] = line.split(' ');
      const kind = KINDS[word];
      if (kind === undefined) {
        fileCount = Number(became);
        readBytes = Number(path);
      } else {
        differences.push({
          kind,
          path: unescapeField(path),
          detail: unescapeField(detail),
          became: became as TreeDifference['became'],
        });
      }
    }
    return { differences, fileCount, readBytes };
  };
  return await trees.run(id, signal, compare, mend);
}
