import { describe, expect, it } from 'vitest';
import { examplePlan } from '../test/support/example-plan.js';
import { encodeLaunchPlan } from './plan-encoder.js';

describe('encodeLaunchPlan', () => {
  it('begins with magic, version and its own length, and ends with the end mark', () => {
    const bytes = encodeLaunchPlan(examplePlan());
    expect(bytes.toString('latin1', 0, 4)).toBe('TEUP');
    expect(bytes.readUInt32LE(4)).toBe(1);
    expect(bytes.readUInt32LE(8)).toBe(bytes.length);
    expect(bytes.toString('latin1', bytes.length - 4)).toBe('TEUE');
  });

  it('is the same for the same plan', () => {
    expect(encodeLaunchPlan(examplePlan())).toEqual(encodeLaunchPlan(examplePlan()));
  });

  const wrong: [string, (plan: Record<string, never>) => unknown, string][] = [
    ['a missing field', (p) => delete p['hold'], 'plan.hold must be a boolean, not undefined'],
    ['undefined for null', (p) => set(p, 'hostname', undefined), 'plan.hostname must be a value'],
    ['a missing namespace', (p) => set(p, 'namespaces.ipc', undefined), 'plan.namespaces.ipc'],
    [
      'an unknown namespace kind',
      (p) => set(p, 'namespaces.pid.kind', 'shared'),
      'plan.namespaces.pid.kind must be one of host, new, path, target, not shared',
    ],
    ['a NUL', (p) => set(p, 'process.cwd', '/a\0b'), 'plan.process.cwd contains a NUL'],
    [
      'a missing field deep in a list',
      (p) => set(p, 'mounts.1.target', undefined),
      'plan.mounts[1].target must be a string, not undefined',
    ],
    [
      'a number for a bigint',
      (p) => set(p, 'process.capabilities.bounding', 1),
      'bounding must be',
    ],
    ['a negative id', (p) => set(p, 'process.user.uid', -1), 'plan.process.user.uid must be'],
    ['a fraction', (p) => set(p, 'log.maxFileBytes', 0.5), 'plan.log.maxFileBytes must be'],
    ['a personality', (p) => set(p, 'process.personality', 8), 'plan.process.personality'],
    [
      'an unknown stdin',
      (p) => set(p, 'process.stdin', 'tty'),
      'plan.process.stdin must be one of',
    ],
    ['an id with a slash', (p) => set(p, 'id', '../x'), 'plan.id is malformed'],
    ['no array', (p) => set(p, 'process.argv', 'true'), 'plan.process.argv must be an array'],
    ['a list for bytes', (p) => set(p, 'process.seccomp.filter', [1]), 'must be a Uint8Array'],
  ];

  it.each(wrong)('refuses %s, naming the field', (_, break_, message) => {
    const plan = examplePlan() as unknown as Record<string, never>;
    break_(plan);
    expect(() => encodeLaunchPlan(plan as never)).toThrow(message);
  });
});

function set(object: Record<string, never>, path: string, value: unknown): void {
  const names = path.split('.');
  const last = names.pop() ?? '';
  let at: Record<string, unknown> = object;
  for (const name of names) at = at[name] as Record<string, unknown>;
  at[last] = value;
}
