import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { projects, sourceFiles } from '../tidy/tree.js';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** Packages of this repository that a file imports. */
function importsOf(file: string): string[] {
  const text = readFileSync(join(root, file), 'utf8');
  const specifiers = text.matchAll(/(?:from|import)\s*\(?\s*'(@teu\/[^']+)'/g);
  return [...specifiers].map((match) => match[1] ?? '');
}

test('no service imports another service', () => {
  const services = projects().filter((project) => project.directory.startsWith('services/'));
  for (const file of sourceFiles(['services/', 'libs/', 'clients/'])) {
    for (const specifier of importsOf(file)) {
      const service = services.find(
        (candidate) => specifier.split('/').slice(0, 2).join('/') === candidate.name,
      );
      if (service !== undefined)
        expect(file, specifier).toMatch(new RegExp(`^${service.directory}/`));
    }
  }
});

test('only the executor loads the isolation addon, and only libs/rpc the small ones', () => {
  for (const file of sourceFiles(['services/', 'libs/', 'clients/'])) {
    for (const specifier of importsOf(file)) {
      if (specifier === '@teu/native') expect(file).toMatch(/^services\/executor\//);
      if (specifier.startsWith('@teu/native/')) expect(file).toMatch(/^libs\/rpc\//);
    }
  }
});

test('the lint rule refuses a service that imports another', () => {
  const directory = mkdtempSync(join(root, 'services/cgroup/src/boundary-probe-'));
  try {
    const file = join(directory, 'probe.ts');
    const other = projects().find((project) => project.directory === 'services/engine');
    writeFileSync(file, `import '${other!.name}';\n`);
    const graph = spawnSync('nx', ['graph', `--file=${join(directory, 'graph.json')}`], {
      cwd: root,
      encoding: 'utf8',
      env: { ...process.env, NX_DAEMON: 'false' },
    });
    expect(graph.status, graph.stderr).toBe(0);
    const result = spawnSync(
      'eslint',
      ['--rule', '{"@typescript-eslint/no-unused-expressions": "off"}', file],
      { cwd: root, encoding: 'utf8', env: { ...process.env, NX_DAEMON: 'false' } },
    );
    expect(result.status).not.toBe(0);
    expect(result.stdout).toContain('@nx/enforce-module-boundaries');
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}, 60_000);
