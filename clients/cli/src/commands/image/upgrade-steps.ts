import {
  RebaseState,
  UpgradeStep,
  type BaseUpgrade,
  type UpgradedContainer,
  type UpgradedImage,
} from '@teu/proto/engine';
import { CliError } from '../../cli-error.js';
import type { Invocation } from '../../command.js';
import { ActivityLine } from '../../output/activity-line.js';
import { shortId } from '../../output/for-people.js';
import { jsonLine, wantsJson } from '../../output/json.js';
import { visible } from '../../output/visible.js';
import { counted } from './plan-lines.js';

const states: Readonly<Partial<Record<RebaseState, string>>> = {
  [RebaseState.REBASE_STATE_PENDING]: 'not dealt with yet',
  [RebaseState.REBASE_STATE_DONE]: 'on the new base',
  [RebaseState.REBASE_STATE_SCHEDULED]: 'on the new base at its next start',
  [RebaseState.REBASE_STATE_FAILED]: 'failed',
  [RebaseState.REBASE_STATE_UNDONE]: 'on the old base again',
  [RebaseState.REBASE_STATE_UNDO_SCHEDULED]: 'on the old base again at its next start',
};

/** What became of a container, in words. */
export function containerOutcome({ state, isLive, detail }: UpgradedContainer): string {
  const word = states[state] ?? 'unknown';
  const live = isLive && state !== RebaseState.REBASE_STATE_FAILED ? ', while it runs' : '';
  return `${word}${live}${detail === '' ? '' : `: ${visible(detail)}`}`;
}

/** What became of an image, in words. */
export function imageOutcome(image: UpgradedImage, isUndo: boolean): string {
  const { oldImageId, newImageId, references, movedReferences, error } = image;
  const names = (isUndo ? movedReferences : references).join(', ');
  const [from, to] = isUndo ? [newImageId, oldImageId] : [oldImageId, newImageId];
  const ids = newImageId === '' ? shortId(oldImageId) : `${shortId(from)} -> ${shortId(to)}`;
  const named = names === '' ? ids : `${names} ${ids}`;
  return error === '' ? named : `${named}: ${visible(error)}`;
}

/**
 * Prints what happens in an upgrade or an undo as it happens.
 * @returns exit code: 1 if something failed
 */
export async function printSteps(
  { context, options }: Invocation,
  title: string,
  answers: AsyncIterable<{ step?: UpgradeStep | undefined }>,
  isUndo: boolean,
): Promise<number> {
  const json = wantsJson(options);
  const activity = new ActivityLine(context.stderr, title);
  let end: BaseUpgrade | undefined;
  let hasFailed = false;
  try {
    for await (const { step } of answers) {
      if (step?.part === undefined) continue;
      await activity.hide();
      if (step.part.$case === 'summary') end = step.part.value;
      if (step.part.$case === 'image') hasFailed ||= step.part.value.error !== '';
      if (step.part.$case === 'container') {
        hasFailed ||= step.part.value.state === RebaseState.REBASE_STATE_FAILED;
      }
      const line = json ? jsonLine(UpgradeStep.toJSON(step)) : stepLine(step, isUndo);
      await context.stdout.write(line);
    }
  } finally {
    await activity.end();
  }
  if (end === undefined) {
    throw new CliError('the engine went away before the end', {
      hint: 'it goes on by itself when it is back; see: teu image upgrades',
    });
  }
  return hasFailed ? 1 : 0;
}

function stepLine({ part }: UpgradeStep, isUndo: boolean): string {
  switch (part?.$case) {
    case 'image':
      return `image ${imageOutcome(part.value, isUndo)}\n`;
    case 'container':
      return `container ${part.value.name}: ${containerOutcome(part.value)}\n`;
    case 'summary':
      return summaryLine(part.value, isUndo);
    default:
      return '';
  }
}

function summaryLine(upgrade: BaseUpgrade, isUndo: boolean): string {
  const { id, doneCount, undoneCount, scheduledCount, failedCount, imageCount } = upgrade;
  if (id === '') return 'nothing stands on the old base: there is nothing to do\n';
  const containers = `${counted(isUndo ? undoneCount : doneCount, 'container')} on the ${isUndo ? 'old' : 'new'} base`;
  const rest = `${String(scheduledCount)} at their next start, ${String(failedCount)} failed`;
  const counts = isUndo
    ? `${containers}, ${rest}`
    : `${counted(imageCount, 'image')} made anew, ${containers}, ${rest}`;
  const what = isUndo ? `undo of upgrade ${shortId(id)}` : `upgrade ${shortId(id)}`;
  const hint = isUndo ? '' : `; to undo it: teu image undo-upgrade ${shortId(id)}`;
  return `${what}: ${counts}${hint}\n`;
}
