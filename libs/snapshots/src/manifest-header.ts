import { escapeField, unescapeField } from './tree-text.js';
import type { Labels, SnapshotRecord } from './record.js';

/** What a manifest says about its snapshot: enough to make the record again. */
export interface ManifestHeader {
  readonly id: number;
  readonly name: string;
  /** Name of the parent; empty for none. */
  readonly parent: string;
  readonly labels: Labels;
  readonly createdAt: Date;
}

/** Describes a record in the lines that stand in front of a manifest. */
export function formatHeader(record: SnapshotRecord): string {
  const fields = {
    id: String(record.id),
    name: record.name,
    parent: record.parentName,
    labels: JSON.stringify(record.labels),
    created: record.createdAt.toISOString(),
  };
  const lines = Object.entries(fields).map(([key, value]) => `#${key}=${escapeField(value)}\n`);
  return lines.join('');
}

/** Reads those lines; undefined if one is missing or malformed. */
export function parseHeader(lines: readonly string[]): ManifestHeader | undefined {
  const fields = new Map<string, string>();
  for (const line of lines) {
    const divider = line.indexOf('=');
    if (divider > 0) fields.set(line.slice(1, divider), unescapeField(line.slice(divider + 1)));
  }
  const id = Number(fields.get('id'));
  const name = fields.get('name');
  const parent = fields.get('parent');
  const labels = parseLabels(fields.get('labels') ?? '');
  const createdAt = new Date(fields.get('created') ?? '');
  if (!Number.isSafeInteger(id) || Number.isNaN(createdAt.getTime())) return undefined;
  if (name === undefined || parent === undefined || labels === undefined) return undefined;
  return { id, name, parent, labels, createdAt };
}

function parseLabels(text: string): Labels | undefined {
  try {
    return JSON.parse(text) as Labels;
  } catch {
    return undefined;
  }
}
