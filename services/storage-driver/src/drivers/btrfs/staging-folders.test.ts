import { tempDir } from '@teu/testing';
import { mkdirSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { StagingFolders } from './staging-folders.js';

it('gives its place to what a crash has left, and no place that is taken', () => {
  using directory = tempDir();
  const root = directory.path;
  const [layers, removing] = [join(root, 'l'), join(root, 'removing')];
  for (const path of [layers, removing]) mkdirSync(path);
  const staging = new StagingFolders(root);
  expect([staging.nameOf(8), staging.nameOf(71)]).toEqual(['s0/8', 's7/1z']);
  for (const name of ['s0/8', 's7/1z', 'l/8']) {
    mkdirSync(join(root, name));
    writeFileSync(join(root, name, 'file'), name);
  }
  new StagingFolders(root).publish(layers, removing);
  expect(readdirSync(layers)).toEqual(['1z', '8']);
  expect(readdirSync(removing)).toEqual(['8.s0']);
  expect([readdirSync(join(root, 's0')), readdirSync(join(root, 's7'))]).toEqual([[], []]);
});
