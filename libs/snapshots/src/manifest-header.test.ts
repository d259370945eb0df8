import { Kind } from '@teu/proto/snapshots';
import { expect, it } from 'vitest';
import { formatHeader, parseHeader } from './manifest-header.js';
import type { SnapshotRecord } from './record.js';

const record: SnapshotRecord = {
  id: 35,
  name: 'any text,\nwith = and ü',
  parentId: 3,
  parentName: 'sha256:0123',
  kind: Kind.COMMITTED,
  labels: { 'a=b': 'c\nd', other: '%' },
  createdAt: new Date(1_700_000_000_123),
  updatedAt: new Date(1_700_000_001_000),
  bytes: 1,
  inodes: 1,
  sealed: null,
  damage: null,
};

it('says of a snapshot what its record is made from', () => {
  const lines = formatHeader(record).split('\n').slice(0, -1);
  expect(lines).toHaveLength(5);
  expect(lines.every((line) => /^#[!-~]+$/.test(line))).toBe(true);
  const { id, name, parentName: parent, labels, createdAt } = record;
  expect(parseHeader(lines)).toEqual({ id, name, parent, labels, createdAt });
});

it('is nothing unless it is whole', () => {
  const lines = formatHeader(record).split('\n').slice(0, -1);
  for (const left of lines) {
    expect(parseHeader(lines.filter((line) => line !== left))).toBeUndefined();
  }
  expect(parseHeader(lines.map((line) => (line.startsWith('#labels') ? '#labels={' : line)))).toBe(
    undefined,
  );
});
