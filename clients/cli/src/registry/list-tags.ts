import { DistributionServiceService } from '@teu/proto/image';
import type { Context } from '../context.js';
import { credentialsFor } from './logins.js';

const pageSize = 1000;

/** Tags of a repository at its registry, in its order, page by page. */
export async function* listTags(context: Context, repository: string): AsyncGenerator<string> {
  const credentials = await credentialsFor(context, repository);
  let pageToken = '';
  do {
    const page = await context.services.image.unary(
      DistributionServiceService.listTags,
      { repository, pageSize, pageToken, credentials },
      { signal: context.abort },
    );
    yield* page.tags;
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
}
