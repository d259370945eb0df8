import { teuError } from '@teu/errors';
import { parsePageSize, type ContainerId } from '@teu/ids';
import type { ProcessEntry } from './process-entry.js';
import type { ProcessRegistry } from './process-registry.js';

/** A page of processes and the token of the next one, '' for none. */
export interface Page {
  processes: ProcessEntry[];
  nextPageToken: string;
}

const TOKEN = /^[0-9a-f]{64}(?:\/[0-9a-f]{64})?$/;

/**
 * Processes by container and exec id, a page at a time. A token names the last one given, so that pages stay right
 * while processes come and go.
 */
export function listProcesses(
  registry: ProcessRegistry,
  request: { pageSize: number; pageToken: string; containerId: ContainerId | undefined },
): Page {
  const size = parsePageSize(request.pageSize);
  const after = request.pageToken;
  if (after !== '' && !TOKEN.test(after)) {
    throw teuError('INVALID_ARGUMENT', 'page_token is not one that was given', {
      metadata: { field: 'page_token' },
    });
  }
  const rest = registry
    .processes(request.containerId)
    .map((process) => ({ key: sortKey(process), process }))
    .filter(({ key }) => key > after)
    .sort((a, b) => (a.key < b.key ? -1 : 1));
  const page = rest.slice(0, size);
  return {
    processes: page.map(({ process }) => process),
    nextPageToken: rest.length > size ? (page.at(-1)?.key ?? '') : '',
  };
}

function sortKey({ containerId, execId }: ProcessEntry): string {
  return execId === '' ? containerId : `${containerId}/${execId}`;
}
