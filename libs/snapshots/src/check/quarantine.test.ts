import { FindingKind } from '@teu/proto/storage';
import { expect, it } from 'vitest';
import { quarantineText } from './quarantine.js';

const missing = {
  kind: FindingKind.FINDING_KIND_MISSING_FILE,
  path: 'etc/passwd',
  detail: 'was a file',
  became: 'found',
} as const;

it('says what keeps a snapshot in quarantine, and nothing when all was mended', () => {
  const mended = { ...missing, became: 'mended' } as const;
  expect(quarantineText([])).toBeNull();
  expect(quarantineText([mended])).toBeNull();
  expect(quarantineText([mended, missing])).toBe('"etc/passwd" is missing');
  const failed = {
    ...missing,
    kind: FindingKind.FINDING_KIND_CHANGED_ATTRIBUTES,
    became: 'failed',
    path: 'x'.repeat(5000),
  } as const;
  const text = quarantineText([failed, missing]);
  expect(text).toMatch(/^"x{256}" has other attributes than at the commit, and 1 more$/);
});
