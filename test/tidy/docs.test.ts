import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { readTracked, trackedFiles } from './tree.js';

const root = fileURLToPath(new URL('../..', import.meta.url));
const documents = trackedFiles().filter((file) => file.endsWith('.md'));
/** Folders that only set-up makes. */
const generated = /^(bin|dist|node_modules)\/|\/(dist|build|gen)(\/|$)/;

test.each(documents)('%s links to what is there', (file) => {
  const links = [...readTracked(file).matchAll(/\]\((?!https?:|#)([^)#]+)/g)].map(
    (match) => match[1] ?? '',
  );
  expect(links.filter((link) => !existsSync(join(root, dirname(file), link)))).toEqual([]);
});

test.each(documents)('%s names files that are there', (file) => {
  const names = [
    ...readTracked(file).matchAll(
      /`((?:proto|services|libs|native|clients|test|tools)\/[\w./-]+)`/g,
    ),
  ].map((match) => match[1] ?? '');
  expect(names.filter((name) => !generated.test(name) && !existsSync(join(root, name)))).toEqual(
    [],
  );
});

test.each(documents)('%s has one title', (file) => {
  const text = readTracked(file).replace(/```[\s\S]*?```/g, '');
  expect(text.match(/^# /gm)).toHaveLength(1);
});
