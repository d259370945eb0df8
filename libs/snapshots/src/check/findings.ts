import { Finding, FindingKind } from '@teu/proto/storage';

/** Makes a finding; what is not given is empty. */
export function finding(kind: FindingKind, fields: Partial<Omit<Finding, 'kind'>>): Finding {
  return Finding.create({ kind, ...fields });
}

export const missingStorage = (key: string): Finding =>
  finding(FindingKind.FINDING_KIND_MISSING_STORAGE, { key, detail: 'nothing of it is on disk' });

export const damagedManifest = (key: string, detail: string): Finding =>
  finding(FindingKind.FINDING_KIND_DAMAGED_MANIFEST, { key, detail });

const strayStorage = (path: string, detail: string): Finding =>
  finding(FindingKind.FINDING_KIND_STRAY_STORAGE, { path, detail });

export const strayOf = (id: number): Finding =>
  strayStorage(id.toString(36), 'belongs to no snapshot');

export const strayManifest = (id: number): Finding =>
  strayStorage(`manifests/${id.toString(36)}`, 'is the manifest of no snapshot');

export const foreignStorage = (name: string): Finding =>
  strayStorage(name, 'was not made by this driver');

export const lostRecord = (key: string, path: string, detail: string): Finding =>
  finding(FindingKind.FINDING_KIND_LOST_RECORD, { key, path, detail });
