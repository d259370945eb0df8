import { teuError } from '@teu/errors';
import type { BaseUpgrade } from '@teu/proto/engine';
import type { EngineParts } from '../engine-parts.js';
import { refuse } from '../spec-validation.js';

/**
 * Finds an upgrade by its id or the beginning of it.
 * @throws BASE_UPGRADE_NOT_FOUND, AMBIGUOUS_REFERENCE, INVALID_ARGUMENT for what is no id
 */
export function findUpgrade(
  { upgrades }: Pick<EngineParts, 'upgrades'>,
  reference: string,
): BaseUpgrade {
  if (!/^[0-9a-f]{4,32}$/.test(reference)) {
    refuse('upgrade_id', 'is not 4 to 32 lower-case hexadecimal digits');
  }
  const [id, second] = upgrades.idsByPrefix(reference);
  const metadata = { upgrade: reference };
  if (second !== undefined) {
    const text = `several base upgrades have an id beginning "${reference}"`;
    throw teuError('AMBIGUOUS_REFERENCE', text, { metadata });
  }
  const upgrade = id === undefined ? undefined : upgrades.find(id);
  if (upgrade !== undefined) return upgrade;
  throw teuError('BASE_UPGRADE_NOT_FOUND', `there is no base upgrade "${reference}"`, { metadata });
}
