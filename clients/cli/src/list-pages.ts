import { EngineServiceService, ListContainersRequest, type Container } from '@teu/proto/engine';
import { ImageServiceService, ListImagesRequest, type Image } from '@teu/proto/image';
import type { Context } from './context.js';

/** What listing needs of a command's context. */
type Caller = Pick<Context, 'services' | 'abort'>;

const pageSize = 500;

/** All containers that a request selects, newest first, page by page. */
export async function listContainers(
  context: Caller,
  selection: Partial<ListContainersRequest>,
): Promise<Container[]> {
  const found: Container[] = [];
  let pageToken = '';
  do {
    const page = await context.services.engine.unary(
      EngineServiceService.listContainers,
      ListContainersRequest.create({ ...selection, pageSize, pageToken }),
      { signal: context.abort },
    );
    found.push(...page.containers);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return found;
}

/** All images, newest first; only those of a repository or name if one is given. */
export async function listImages(context: Caller, reference = ''): Promise<Image[]> {
  const found: Image[] = [];
  let pageToken = '';
  do {
    const page = await context.services.image.unary(
      ImageServiceService.listImages,
      ListImagesRequest.create({ reference, pageSize, pageToken }),
      { signal: context.abort },
    );
    found.push(...page.images);
    pageToken = page.nextPageToken;
  } while (pageToken !== '');
  return found;
}
