import { describe, expect, test } from 'vitest';
import { ContainerSpec } from '@teu/proto/engine';
import { ImageConfig } from '@teu/proto/image';
import { fillInDefaults, mergeEnvironment } from './image-defaults.js';

const defaults = { pidsLimit: -1 };
const image = (part: Partial<ImageConfig>) => ImageConfig.create(part);
const fill = (spec: Parameters<typeof ContainerSpec.create>[0], config?: ImageConfig) =>
  fillInDefaults(ContainerSpec.create({ image: 'x', ...spec }), config, defaults);
const commandOf = (spec: ContainerSpec) => [...(spec.entrypoint?.values ?? []), ...spec.args];

describe('the command', () => {
  const both = image({ entrypoint: ['/entry'], cmd: ['default'] });
  test.each([
    [{}, ['/entry', 'default']],
    [{ args: ['mine'] }, ['/entry', 'mine']],
    [{ entrypoint: { values: ['/mine'] } }, ['/mine']],
    [{ entrypoint: { values: ['/mine'] }, args: ['a'] }, ['/mine', 'a']],
    [{ entrypoint: { values: [''] }, args: ['a'] }, ['a']],
    [{ entrypoint: { values: [] }, args: ['a'] }, ['a']],
  ])('of %j', (spec, expected) => {
    expect(commandOf(fill(spec, both))).toEqual(expected);
  });

  test('is refused if it is empty', () => {
    expect(() => fill({}, image({}))).toThrow(/spec\.args/);
    expect(() => fill({ entrypoint: { values: [] } }, both)).toThrow(/spec\.args/);
  });
});

describe('the rest', () => {
  test('the client wins over the image, the image over the engine', () => {
    const config = image({ cmd: ['x'], user: 'app', workingDir: 'srv', stopSignal: 'INT' });
    expect(fill({}, config)).toMatchObject({ user: 'app', workingDir: '/srv', stopSignal: 'INT' });
    expect(fill({ user: '0', workingDir: '/', stopSignal: 'HUP' }, config)).toMatchObject({
      user: '0',
      workingDir: '/',
      stopSignal: 'HUP',
    });
    expect(fill({}, image({ cmd: ['x'] }))).toMatchObject({
      workingDir: '/',
      stopSignal: 'SIGTERM',
      stopTimeoutDuration: { seconds: 10 },
    });
  });

  test('labels of both are there', () => {
    const config = image({ cmd: ['x'], labels: { a: '1', b: '1' } });
    expect(fill({ labels: { b: '2' } }, config).labels).toEqual({ a: '1', b: '2' });
  });

  test('what an image says is checked like what a client says', () => {
    expect(() => fill({}, image({ cmd: ['x'], env: ['NOVALUE'] }))).toThrow(/image\.config\.env/);
    expect(() => fill({}, image({ cmd: ['x'], user: 'a\nb' }))).toThrow(/image\.config\.user/);
    expect(() => fill({}, image({ cmd: ['x'], stopSignal: 'NO' }))).toThrow(/stop_signal/);
  });

  test('environment keeps the first place and the last value', () => {
    expect(mergeEnvironment(['A=1', 'B=1'], ['C=1', 'A=2'])).toEqual(['A=2', 'B=1', 'C=1']);
  });
});
