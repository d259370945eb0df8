import { isTeuError } from '@teu/errors';
import type { Finding } from '@teu/proto/storage';
import type { SnapshotContext } from '../context.js';
import type { SnapshotRecord } from '../record.js';
import { TreeProgramError } from '../tree-program.js';
import { compareTree, type TreeComparison } from './compare-tree.js';
import { damagedManifest } from './findings.js';

/** What was found out about a committed snapshot. */
export type Judgement =
  | { readonly outcome: 'compared'; readonly comparison: TreeComparison }
  /** It had no manifest and has one now: nothing can be said about the time before. */
  | { readonly outcome: 'sealed' }
  /** There is nothing to compare with. */
  | {
      readonly outcome: 'unjudged';
      readonly finding: Finding;
      /** Whether there was a manifest that is not whole any more. */
      readonly isManifestDamaged: boolean;
    }
  /** It was removed meanwhile. */
  | { readonly outcome: 'gone' };

/**
 * Compares a committed snapshot with its manifest; one that has none yet gets it.
 *
 * @param mend - Whether what differs in attributes only is set back.
 * @throws the reason of the signal if that aborted
 */
export async function judgeSnapshot(
  context: SnapshotContext,
  record: SnapshotRecord,
  { readData, mend }: { readonly readData: boolean; readonly mend: boolean },
  signal: AbortSignal,
): Promise<Judgement> {
  try {
    const digest = record.sealed;
    if (digest === null) {
      const sealed = await context.sealer.seal(record, signal);
      return { outcome: sealed === undefined ? 'gone' : 'sealed' };
    }
    const question = { id: record.id, digest, readData, mend };
    return { outcome: 'compared', comparison: await compareTree(context, question, signal) };
  } catch (error) {
    signal.throwIfAborted();
    if (context.records.findById(record.id) === undefined) return { outcome: 'gone' };
    if (isTeuError(error) || !(error instanceof TreeProgramError)) throw error;
    const why =
      record.sealed === null
        ? `has no manifest yet, and none can be made: ${error.reason}`
        : error.isManifestDamaged
          ? `its manifest is damaged: ${error.reason}`
          : `it cannot be compared: ${error.reason}`;
    const isManifestDamaged = record.sealed !== null && error.isManifestDamaged;
    return { outcome: 'unjudged', finding: damagedManifest(record.name, why), isManifestDamaged };
  }
}
