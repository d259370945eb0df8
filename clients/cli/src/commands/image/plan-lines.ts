import {
  ContainerState,
  RebaseTiming,
  type BaseConflict,
  type PlanBaseUpgradeResponse,
  type PlannedContainer,
  type PlannedImage,
  type PlanSummary,
} from '@teu/proto/engine';
import { changeKindToJSON, type Change, type ChangeKind } from '@teu/proto/image';
import { shortId } from '../../output/for-people.js';
import { formatTable } from '../../output/table.js';
import { visible } from '../../output/visible.js';

/** Files are many; those who want all ask for JSON. */
const FILES_SHOWN = 40;
const CONFLICTS_SHOWN = 200;

const timings: Readonly<Partial<Record<RebaseTiming, string>>> = {
  [RebaseTiming.REBASE_TIMING_NOW_LIVE]: 'now, while it runs',
  [RebaseTiming.REBASE_TIMING_NOW_STOPPED]: 'now',
  [RebaseTiming.REBASE_TIMING_AT_NEXT_START]: 'at its next start',
  [RebaseTiming.REBASE_TIMING_NEVER]: 'not at all',
};

/** "content" for CHANGE_KIND_CONTENT. */
export function changeWord(kind: ChangeKind): string {
  return changeKindToJSON(kind).replace('CHANGE_KIND_', '').toLowerCase();
}

/** The first changes, a line each, and how many more there are. */
export function changeLines(changes: readonly Change[], count = changes.length): string {
  const shown = changes.slice(0, FILES_SHOWN);
  const lines = shown.map(
    ({ kind, path }) => `  ${changeWord(kind).padEnd(10)} ${visible(path)}\n`,
  );
  const more = count - shown.length;
  return lines.join('') + (more > 0 ? `  and ${String(more)} more; --format json has all\n` : '');
}

/** "1 image", "2 images". */
export function counted(count: number, one: string): string {
  return `${String(count)} ${one}${count === 1 ? '' : 's'}`;
}

/** What a plan tells, taken together for people. */
export class PlanReport {
  readonly #images: PlannedImage[] = [];
  readonly #containers: PlannedContainer[] = [];
  readonly #changes: Change[] = [];
  readonly #conflicts: BaseConflict[] = [];
  readonly #problems: string[] = [];
  #summary: PlanSummary | undefined;

  /** Takes a message in. */
  add({ part }: PlanBaseUpgradeResponse): void {
    switch (part?.$case) {
      case 'image':
        this.#images.push(part.value);
        return;
      case 'container':
        this.#containers.push(part.value);
        return;
      case 'changes':
        this.#changes.push(...part.value.changes.slice(0, FILES_SHOWN));
        if (part.value.error !== '') this.#problems.push(`the bases: ${part.value.error}`);
        return;
      case 'conflict':
        this.#addConflict(part.value);
        return;
      case 'summary':
        this.#summary = part.value;
        return;
      case undefined:
    }
  }

  /** Whether the last message has come. */
  get isWhole(): boolean {
    return this.#summary !== undefined;
  }

  /** Tables and a line that sums them up. */
  text(): string {
    const summary = this.#summary;
    if (summary === undefined) return '';
    const parts = [
      this.#imageTable(),
      this.#containerTable(),
      summary.changeCount === 0
        ? ''
        : `FILES OF THE BASE\n${changeLines(this.#changes, summary.changeCount)}`,
      this.#conflictTable(summary.conflictCount),
      this.#problems.map((line) => `could not be compared: ${visible(line)}\n`).join(''),
      summaryLine(summary),
    ];
    return parts.filter((part) => part !== '').join('\n');
  }

  #addConflict(conflict: BaseConflict): void {
    if (conflict.error !== '') this.#problems.push(`${conflict.name}: ${conflict.error}`);
    else if (this.#conflicts.length < CONFLICTS_SHOWN) this.#conflicts.push(conflict);
  }

  #imageTable(): string {
    if (this.#images.length === 0) return '';
    const rows = this.#images.map(({ id, references, ownLayerCount }) => [
      shortId(id),
      references.join(', ') || '-',
      String(ownLayerCount),
    ]);
    return formatTable(['IMAGE ID', 'NAMES', 'OWN LAYERS'], rows);
  }

  #containerTable(): string {
    if (this.#containers.length === 0) return '';
    const rows = this.#containers.map((container) => [
      container.name,
      shortId(container.imageId),
      container.driver,
      container.state === ContainerState.CONTAINER_STATE_RUNNING ? 'running' : 'stopped',
      [timings[container.timing] ?? '', container.detail].filter(Boolean).join(': '),
    ]);
    return formatTable(['CONTAINER', 'IMAGE ID', 'DRIVER', 'STATE', 'UPGRADED'], rows);
  }

  #conflictTable(count: number): string {
    if (this.#conflicts.length === 0) return '';
    const rows = this.#conflicts.map(({ name, imageId, path, baseChange, ownChange }) => [
      imageId === '' ? name : name || shortId(imageId),
      imageId === '' ? 'container' : 'image',
      path,
      changeWord(baseChange),
      changeWord(ownChange),
    ]);
    const more = count - rows.length;
    return (
      formatTable(['ITS OWN STAYS', 'KIND', 'PATH', 'NEW BASE', 'OWN'], rows) +
      (more > 0 ? `and ${String(more)} more; --format json has all\n` : '')
    );
  }
}

function summaryLine(summary: PlanSummary): string {
  const { liveCount, stoppedCount, scheduledCount, neverCount } = summary;
  const containers = liveCount + stoppedCount + scheduledCount + neverCount;
  const how = [
    [liveCount, 'now while running'],
    [stoppedCount, 'now'],
    [scheduledCount, 'at their next start'],
    [neverCount, 'not at all'],
  ] as const;
  const told = how
    .filter(([count]) => count > 0)
    .map(([count, word]) => `${String(count)} ${word}`);
  return (
    `would make ${counted(summary.imageCount, 'image')} anew and upgrade ` +
    `${counted(containers, 'container')}${told.length > 0 ? ` (${told.join(', ')})` : ''}; ` +
    `${counted(summary.changeCount, 'file')} differ${summary.changeCount === 1 ? 's' : ''}, ` +
    `${counted(summary.conflictCount, 'conflict')}\n`
  );
}
