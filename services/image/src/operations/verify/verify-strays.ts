import { rmSync } from 'node:fs';
import { Damage, DamageAction, DamageKind } from '@teu/proto/image';
import type { ImageParts } from '../image-parts.js';
import type { Findings, VerifyScope } from './verify-images.js';

/** Finds files among the blobs that are none. What a running operation has put there is one that is about to be. */
export async function* verifyStrays(
  { blobs, pins }: Pick<ImageParts, 'blobs' | 'pins'>,
  { isAll, repair }: VerifyScope,
): Findings {
  if (!isAll) return;
  for (const name of blobs.strays()) {
    const digest = `sha256:${name}`;
    // Nobody comes in between: looking and removing is one turn.
    if (pins.has(digest) || blobs.find(digest) !== undefined) continue;
    const damage = Damage.create({
      kind: DamageKind.DAMAGE_KIND_STRAY,
      digest: /^[0-9a-f]{64}$/.test(name) ? digest : '',
      detail: `a file ${JSON.stringify(name)} lies among the blobs and belongs to nothing`,
    });
    if (repair) {
      rmSync(blobs.strayPath(name), { force: true, recursive: true });
      damage.action = DamageAction.DAMAGE_ACTION_REMOVED;
    }
    yield await Promise.resolve(damage);
  }
}
