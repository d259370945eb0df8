import {
  ContentServiceService,
  DamageAction,
  DamageKind,
  PruneImagesRequest,
  VerifyImagesRequest,
  type Damage,
  type PruneImagesResponse,
  type VerifySummary,
} from '@teu/proto/image';
import type { ImageStand } from './image-stand.js';

/** What a verification has told. */
export interface Verified {
  /** "BLOB_CHANGED QUARANTINED", in the order in which they were told. */
  damages: string[];
  /** The same in full. */
  full: Damage[];
  summary: VerifySummary;
}

const nameOf = (table: object, value: number, prefix: string): string =>
  (Object.entries(table).find(([, number]) => number === value)?.[0] ?? '').replace(prefix, '');

/** Has everything, or some of it, verified. */
export async function verify(
  { service }: ImageStand,
  request: Partial<VerifyImagesRequest> = {},
): Promise<Verified> {
  const full: Damage[] = [];
  const answers = service.channel.serverStream(
    ContentServiceService.verifyImages,
    VerifyImagesRequest.create(request),
    { timeoutMs: 60_000 },
  );
  for await (const { event } of answers) {
    if (event?.$case === 'damage') full.push(event.value);
    if (event?.$case !== 'summary') continue;
    const damages = full.map(({ kind, action }) => {
      const what = nameOf(DamageKind, kind, 'DAMAGE_KIND_');
      return `${what} ${nameOf(DamageAction, action, 'DAMAGE_ACTION_')}`;
    });
    return { damages, full, summary: event.value };
  }
  throw new Error('the verification ended without a summary');
}

/** Removes what nobody needs. */
export function prune(
  { service }: ImageStand,
  request: Partial<PruneImagesRequest> = {},
): Promise<PruneImagesResponse> {
  const full = PruneImagesRequest.create(request);
  const options = { timeoutMs: 60_000 };
  return service.channel.unary(ContentServiceService.pruneImages, full, options);
}

/** Keeps images or blobs for so many seconds. Gives the lease's id. */
export async function leaseFor(
  { service }: ImageStand,
  seconds: number,
  holder: string,
  ...references: string[]
): Promise<string> {
  const request = { references, holder, ttl: { seconds, nanos: 0 } };
  const { createLease } = ContentServiceService;
  return (await service.channel.unary(createLease, request)).lease?.id ?? '';
}
