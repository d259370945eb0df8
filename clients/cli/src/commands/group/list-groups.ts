import { GroupServiceService, type Group } from '@teu/proto/cgroup';
import type { Context } from '../../context.js';

const pageSize = 500;

/** All groups of containers, or those in one; ordered by name. */
export async function listGroups(
  context: Pick<Context, 'services' | 'abort'>,
  parent = '',
): Promise<Group[]> {
  const found: Group[] = [];
  let pageToken = '';
  do {
    const page = await context.services.cgroup.unary(
      GroupServiceService.listGroups,
      { parent, pageSize, pageToken },
      { signal: context.abort },
    );
    found.push(...page.groups);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return found;
}
