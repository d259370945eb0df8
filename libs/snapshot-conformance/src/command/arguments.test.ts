import { Capability } from '@teu/proto/storage';
import { describe, expect, it } from 'vitest';
import { CONFORMANCE_CASES } from '../cases/index.js';
import { parseArguments, UsageError } from './arguments.js';
import { countResults, formatCounts, formatResult } from './report.js';

describe('the arguments of the command', () => {
  it('have defaults', () => {
    expect(parseArguments(['unix:/s'])).toEqual({
      address: 'unix:/s',
      snapshotter: '',
      namespace: undefined,
      declared: { capabilities: [], maxLayerCount: 0 },
      stacks: 25,
      seed: undefined,
      only: [],
      format: 'text',
    });
  });

  it('declare what a snapshotter cannot say itself', () => {
    const args = ['unix:/s', '--capability', 'xattrs', '--capability', 'shared-disk'];
    expect(parseArguments([...args, '--max-layers', '128']).declared).toEqual({
      capabilities: [Capability.CAPABILITY_XATTRS, Capability.CAPABILITY_SHARED_DISK],
      maxLayerCount: 128,
    });
  });

  it.each([
    [[], 'one ADDRESS'],
    [['unix:/a', 'unix:/b'], 'one ADDRESS'],
    [['unix:/s', '--capability', 'magic'], 'no capability "magic"; there are shared-disk'],
    [['unix:/s', '--only', 'nothing'], 'no case "nothing"'],
    [['unix:/s', '--stacks', 'many'], '--stacks is a number'],
    [['unix:/s', '--format', 'xml'], '--format is text or json'],
    [['unix:/s', '--frobnicate'], 'frobnicate'],
  ])('are refused when they are wrong: %j', (args, message) => {
    expect(() => parseArguments(args)).toThrow(UsageError);
    expect(() => parseArguments(args)).toThrow(message);
  });
});

describe('the report', () => {
  it('has a line for each case, and the reason of a failure', () => {
    const results = [
      { name: 'a', outcome: 'ok', ms: 5 },
      { name: 'b', outcome: 'failed', ms: 6, reason: 'one\ntwo' },
      { name: 'c', outcome: 'not applicable', reason: 'quota' },
    ] as const;
    expect(results.map(formatResult).join('')).toBe(
      'ok      a (5 ms)\nFAILED  b (6 ms)\n        one\n        two\n-       c: not applicable: quota\n',
    );
    expect(formatCounts(countResults(results))).toBe('1 ok, 1 failed, 1 not applicable\n');
  });

  it('tells cases apart by their names', () => {
    const names = CONFORMANCE_CASES.map(({ name }) => name);
    expect(new Set(names).size).toBe(names.length);
    for (const name of names) expect(name).toMatch(/^[a-z0-9-]+$/);
  });
});
