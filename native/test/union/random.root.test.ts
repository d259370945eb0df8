import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { canMountUnions, python, TestUnion, unionProgram } from './union-program.js';

const PROCESSES = 3;
const STEPS = 250;

/** What differs between two trees, by what random-changes.py compares. */
const differences = (left: string, right: string): string =>
  python('random-changes.py', left, right, '0', '0', String(PROCESSES));

describe.runIf(canMountUnions()).each(['plain', 'sanitized'] as const)(
  'random changes, %s',
  (kind) => {
    const program = unionProgram(kind);

    it.each(kind === 'plain' ? [1, 2, 3, 4] : [5])(
      'of several processes leave what they leave in a plain directory, merged or not: %i',
      async (seed) => {
        await using union = new TestUnion(program);
        const plain = union.at('plain');
        mkdirSync(plain);
        python(
          'random-layers.py',
          union.at('top'),
          union.at('base'),
          String(seed),
          String(PROCESSES),
        );
        union.mount('rw=rw', 'top=ro+wh', 'base=ro+wh');
        execFileSync('cp', ['-a', `${union.root}/.`, plain]);

        const args = [union.root, plain, String(seed), String(STEPS), String(PROCESSES)];
        expect(python('random-changes.py', ...args)).toBe('');
        expect(await union.ask('flush')).toBe('ok');
        expect(await union.stat()).toMatchObject({ open: 0, pseudo: 0, passed: 0 });
        expect(differences(union.root, plain)).toBe('');
        await union.unmount();

        // Layers on each other, in a union that has copied nothing up itself.
        union.mount('other=rw', 'rw=ro+wh', 'top=ro+wh', 'base=ro+wh');
        expect(differences(union.root, plain)).toBe('');
        await union.unmount();

        expect(union.run('merge', union.at('rw'), union.at('top'))).toMatch(/^\{"changed":[1-9]/);
        union.mount('top=ro+wh', 'base=ro+wh');
        expect(differences(union.root, plain)).toBe('');
        await union.unmount();

        const merged = union.run('merge', union.at('top'), union.at('base'), '--lowest');
        expect(merged).toMatch(/^\{"changed":[1-9]/);
        expect(differences(union.at('base'), plain)).toBe('');
        expect(
          execFileSync('find', [union.at('top'), union.at('rw'), '-mindepth', '1']).length,
        ).toBe(0);
        expect(execFileSync('find', [union.at('base'), '-name', '.wh.*']).length).toBe(0);
      },
      180_000,
    );
  },
);
