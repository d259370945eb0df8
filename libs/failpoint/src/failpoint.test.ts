import { spawnSync } from 'node:child_process';
import process from 'node:process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { defineFailpoints, failpoint, FailpointError, parseFailpoints } from './index.js';

const NAMES = ['test.error', 'test.delay', 'test.later', 'test.quiet'];

describe('the variable', () => {
  it('is a list of names with actions', () => {
    expect(parseFailpoints(' test.a=exit, test.b-c.d=delay:250@3,test.e=kill ,')).toEqual([
      { name: 'test.a', action: { kind: 'exit' }, from: 1 },
      { name: 'test.b-c.d', action: { kind: 'delay', ms: 250 }, from: 3 },
      { name: 'test.e', action: { kind: 'kill' }, from: 1 },
    ]);
    expect(parseFailpoints('')).toEqual([]);
  });

  it.each(['test.a', 'test.a=explode', 'test.a=delay', 'test.a=delay:-1', '=exit', 'a b=exit'])(
    'is refused when it is malformed: %s',
    (text) => expect(() => parseFailpoints(text)).toThrow('TEU_FAILPOINTS'),
  );
});

describe('a failpoint', () => {
  it('does nothing unless it is armed', () => {
    defineFailpoints('test', NAMES, undefined);
    expect(() => failpoint('test.error')).not.toThrow();
  });

  it('throws, or waits, from the passage on that it is armed for', () => {
    defineFailpoints('test', NAMES, 'test.error=error,test.delay=delay:30,test.later=error@3');
    expect(() => failpoint('test.error')).toThrow(FailpointError);
    const begin = performance.now();
    failpoint('test.delay');
    expect(performance.now() - begin).toBeGreaterThanOrEqual(29);
    failpoint('test.later');
    failpoint('test.later');
    expect(() => failpoint('test.later')).toThrow('failpoint test.later');
    expect(() => failpoint('test.quiet')).not.toThrow();
  });

  it('must be known to its project, and its project to everybody', () => {
    expect(() => defineFailpoints('test', NAMES, 'test.eror=error')).toThrow(
      'test has no failpoint "test.eror"',
    );
    expect(() => defineFailpoints('test', NAMES, 'engin.run=kill')).toThrow("no project's name");
    expect(() => defineFailpoints('test', NAMES, 'engine.run=kill')).not.toThrow();
  });

  it.each([
    ['exit', { status: 70, signal: null }],
    ['kill', { status: null, signal: 'SIGKILL' }],
  ])('ends the process: %s', (action, expected) => {
    const library = fileURLToPath(new URL('failpoint.ts', import.meta.url));
    const program = `
      import { registerHooks } from 'node:module';
      registerHooks({ resolve: (name, context, next) => next(name.replace(/\\.js$/, '.ts'), context) });
      const { defineFailpoints, failpoint } = await import(${JSON.stringify(library)});
      defineFailpoints('test', ['test.end']);
      failpoint('test.end');
      process.stdout.write('still here');`;
    const { status, signal, stdout } = spawnSync(
      process.execPath,
      ['--input-type=module', '--eval', program],
      { env: { TEU_FAILPOINTS: `test.end=${action}` }, encoding: 'utf8' },
    );
    expect({ status, signal, stdout }).toEqual({ ...expected, stdout: '' });
  });
});
