import { Info, Kind } from '@teu/proto/snapshots';
import { describe, expect, it } from 'vitest';
import { parseFilters } from './filter.js';

const info = Info.create({
  name: 'k8s.io/7/sha256:ab',
  parent: 'base',
  kind: Kind.COMMITTED,
  labels: { colour: 'blue', 'containerd.io/snapshot.ref': 'sha256:cd', empty: '' },
});
const matches = (...filters: string[]): boolean => parseFilters(filters)(info);

describe('filters', () => {
  it.each([
    'name==k8s.io/7/sha256:ab',
    'name=="k8s.io/7/sha256:ab"',
    'parent==base,kind==committed',
    'parent!=other',
    'name~=sha256:[a-f]+$',
    'name~=/^k8s\\.io\\/7/',
    'name~="^k8s"',
    'labels.colour==blue',
    'labels."containerd.io/snapshot.ref"==sha256:cd',
    'labels.colour',
    '',
    'labels.none!=x',
  ])('lets through by %s', (filter) => {
    expect(matches(filter)).toBe(true);
  });

  it.each([
    'name==other',
    'kind==active',
    'parent==base,kind==view',
    'labels.none',
    'labels.none==x',
    'nothing==x',
    'name.more',
    'name~=^x',
  ])('holds back by %s', (filter) => {
    expect(matches(filter)).toBe(false);
  });

  it('joins several by or', () => {
    expect(matches('name==other', 'kind==committed')).toBe(true);
    expect(matches('name==other', 'kind==view')).toBe(false);
    expect(matches()).toBe(true);
  });

  it.each([
    'name==',
    'name=x',
    '==x',
    'name==a b',
    'name==a,',
    'name~=(',
    'name=="x',
    'labels."x\\q"',
  ])('refuses %s', (filter) => {
    expect(() => parseFilters([filter])).toThrow(
      expect.objectContaining({ reason: 'INVALID_ARGUMENT', metadata: { field: 'filters' } }),
    );
  });
});
