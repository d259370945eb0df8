import { describe, expect, it } from 'vitest';
import {
  groupOfKey,
  isBelow,
  isGroupKey,
  keyOfGroup,
  parentOf,
  withAncestors,
} from './group-path.js';

describe('paths of groups', () => {
  it('become directories that are no ids, and back', () => {
    const id = 'a'.repeat(64);
    expect(keyOfGroup('team/build')).toBe('g.team/g.build');
    expect(groupOfKey('g.team/g.build')).toBe('team/build');
    expect(groupOfKey('')).toBe('');
    expect(isGroupKey(keyOfGroup(id))).toBe(true);
    expect(isGroupKey(id)).toBe(false);
    expect(groupOfKey(keyOfGroup('g.g.'))).toBe('g.g.');
  });

  it('know what they are in', () => {
    expect(parentOf('team')).toBe('');
    expect(parentOf('team/build/x')).toBe('team/build');
    expect(withAncestors('a/b/c')).toEqual(['a', 'a/b', 'a/b/c']);
    expect(isBelow('team/build', 'team')).toBe(true);
    expect(isBelow('teams', 'team')).toBe(false);
    expect(isBelow('team', 'team')).toBe(false);
    expect(isBelow('team', '')).toBe(true);
  });
});
