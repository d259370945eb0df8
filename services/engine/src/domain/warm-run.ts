import { isTeuError, type Reason } from '@teu/errors';
import { failpoint } from '@teu/failpoint';
import type { SpecMount } from '@teu/proto/executor';
import { filesOwner } from './container-files.js';
import { ContainerEntry } from './container-entry.js';
import type { Draft } from './draft.js';
import type { EngineParts } from './engine-parts.js';
import { problemOf, undo } from './failed-start.js';
import { launch } from './launch.js';
import type { NewContainer, RunOptions } from './start-road.js';
import { recordWarmRun, undoWarmRun } from './transitions.js';
import { discardWarm, type WarmStart } from './warm-pool.js';

/** A draft with what was made for it in advance. */
export type WarmDraft = Draft & { warm: WarmStart };

/** How a launch fails if what was made in advance is not fit any more (its maker was restarted, say). */
const UNFIT: ReadonlySet<Reason> = new Set([
  'LAUNCH_FAILED',
  'MOUNT_FAILED',
  'INVALID_STATE',
  'CONTAINER_NOT_FOUND',
  'PROCESS_NOT_FOUND',
]);

/** Position of a container that is not recorded. */
const UNRECORDED = 0;

/**
 * Runs a container on what was made in advance. Until the program runs, the intent of what was made names everything,
 * so that one transaction after the launch records it all; a crash before leaves what nobody was told of.
 * @returns undefined if the setting up failed, in a way in which it may work with things made anew
 */
export async function runWarm(
  parts: EngineParts,
  draft: WarmDraft,
  request: NewContainer['request'],
  { trace, waits }: RunOptions,
): Promise<ContainerEntry | undefined> {
  const { warm } = draft;
  const entry = new ContainerEntry(draft.container, UNRECORDED);
  parts.registry.reserve(entry);
  return entry.mutex.run(async () => {
    try {
      // It may have begun to leave since the draft; from here on the container is in the way of that.
      parts.drivers.forNew(warm.driver);
      const fileMounts = trace.phaseSync('files', () => filesOf(parts, draft));
      const { rootMounts, membership } = warm;
      const launchParts = { rootMounts, membership, fileMounts };
      const how = { launchParts, waits, isPrepared: true, trace };
      await launch(parts, entry, how, (started) =>
        recordWarmRun(parts, entry, warm.intentId, started, request),
      );
    } catch (error) {
      if (isTeuError(error) && UNFIT.has(error.reason)) {
        parts.log.info({ container_id: entry.id, err: error }, 'a start in advance did not serve');
        parts.registry.release(entry);
        undo(parts, entry, () => parts.store.transaction(() => discardWarm(parts, warm)));
        return undefined;
      }
      const problem = problemOf(error);
      undo(parts, entry, () => undoWarmRun(parts, entry, warm.intentId, request, problem));
      throw error;
    }
    failpoint('engine.start.after-record');
    return entry;
  });
}

/** The files were written for a container without a name of its own. */
function filesOf({ files }: EngineParts, { asked, container, warm }: WarmDraft): SpecMount[] {
  const owner = filesOwner(container);
  const fits = asked.hostname === '' && !owner.sharesNetwork;
  return fits ? warm.fileMounts : files.write(owner);
}
