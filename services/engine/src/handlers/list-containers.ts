import { parsePageSize } from '@teu/ids';
import type { ListContainersRequest, ListContainersResponse } from '@teu/proto/engine';
import { pageOfContainers } from '../domain/container-pages.js';
import type { Engine } from '../domain/engine.js';

/** Lists containers, newest first. */
export const listContainersHandler =
  (engine: Engine) =>
  async (request: ListContainersRequest): Promise<ListContainersResponse> => {
    const page = { size: parsePageSize(request.pageSize), token: request.pageToken };
    return pageOfContainers(engine.registry.all(), request, page);
  };
