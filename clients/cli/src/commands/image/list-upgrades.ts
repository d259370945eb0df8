import {
  BaseServiceService,
  type BaseEdit,
  type BaseUpgrade,
  type UpgradedContainer,
} from '@teu/proto/engine';
import type { Context } from '../../context.js';

type Caller = Pick<Context, 'services' | 'abort'>;

const pageSize = 500;

/** All upgrades of bases, newest first. */
export function listUpgrades({ services, abort }: Caller): Promise<BaseUpgrade[]> {
  return allPages(async (pageToken) => {
    const request = { pageSize, pageToken };
    const options = { signal: abort };
    const page = await services.engine.unary(BaseServiceService.listBaseUpgrades, request, options);
    return { items: page.upgrades, nextPageToken: page.nextPageToken };
  });
}

/** All edits of bases, newest first; with an image only those of layers that it has. */
export function listEdits({ services, abort }: Caller, imageId = ''): Promise<BaseEdit[]> {
  return allPages(async (pageToken) => {
    const request = { pageSize, pageToken, imageId };
    const options = { signal: abort };
    const page = await services.engine.unary(BaseServiceService.listBaseEdits, request, options);
    return { items: page.edits, nextPageToken: page.nextPageToken };
  });
}

/** One upgrade and what became of its containers. */
export async function getUpgrade(
  { services, abort }: Caller,
  upgradeId: string,
): Promise<{ upgrade: BaseUpgrade | undefined; containers: UpgradedContainer[] }> {
  let upgrade: BaseUpgrade | undefined;
  const containers = await allPages(async (pageToken) => {
    const request = { upgradeId, pageSize, pageToken };
    const options = { signal: abort };
    const page = await services.engine.unary(BaseServiceService.getBaseUpgrade, request, options);
    upgrade = page.upgrade;
    return { items: page.containers, nextPageToken: page.nextPageToken };
  });
  return { upgrade, containers };
}

async function allPages<T>(
  read: (pageToken: string) => Promise<{ items: T[]; nextPageToken: string }>,
): Promise<T[]> {
  const found: T[] = [];
  let token = '';
  do {
    const page = await read(token);
    found.push(...page.items);
    token = page.nextPageToken;
  } while (token !== '');
  return found;
}
