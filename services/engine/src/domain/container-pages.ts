import { ContainerState, type Container } from '@teu/proto/engine';
import type { ContainerEntry } from './container-entry.js';
import { refuse } from './spec-validation.js';

/** What a client wants to see of the containers. */
export interface ContainerFilter {
  /** Also those that do not run. */
  all: boolean;
  /** Only those with all of these; an empty value matches any. */
  labels: Record<string, string>;
}

/** One page of a list, and where the next begins. */
export interface ContainerPage {
  containers: Container[];
  /** Empty on the last page. */
  nextPageToken: string;
}

/**
 * Takes a page, newest first. The token is the position of the last one that was given, so that containers which
 * come and go between pages neither repeat nor hide others.
 * @throws INVALID_ARGUMENT for a token that is none
 */
export function pageOfContainers(
  oldestFirst: readonly ContainerEntry[],
  filter: ContainerFilter,
  page: { size: number; token: string },
): ContainerPage {
  const below = page.token === '' ? Infinity : positionIn(page.token);
  const containers: Container[] = [];
  let last = 0;
  for (let i = oldestFirst.length - 1; i >= 0; i -= 1) {
    const entry = oldestFirst[i];
    if (entry === undefined || entry.position >= below) continue;
    if (!matches(entry.container, filter)) continue;
    if (containers.length === page.size) return { containers, nextPageToken: String(last) };
    containers.push(entry.container);
    last = entry.position;
  }
  return { containers, nextPageToken: '' };
}

function positionIn(token: string): number {
  if (!/^[1-9][0-9]{0,15}$/.test(token)) refuse('page_token', 'is not one that was handed out');
  return Number(token);
}

function matches(container: Container, { all, labels }: ContainerFilter): boolean {
  if (!all && container.state !== ContainerState.CONTAINER_STATE_RUNNING) return false;
  const own = container.spec?.labels ?? {};
  return Object.entries(labels).every(([key, value]) =>
    value === '' ? Object.hasOwn(own, key) : own[key] === value,
  );
}
