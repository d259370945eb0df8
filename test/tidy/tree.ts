import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../..', import.meta.url));

/** A project of the monorepo. */
export interface Project {
  readonly directory: string;
  readonly name: string;
  readonly tags: readonly string[];
}

/** Files of the checkout that git tracks or would track, relative to the root. */
export function trackedFiles(): string[] {
  const listed = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], {
    cwd: root,
    encoding: 'utf8',
  });
  return listed.split('\n').filter((file) => file !== '' && existsSync(join(root, file)));
}

/** Hand-written TypeScript below the given folders. */
export function sourceFiles(folders: readonly string[]): string[] {
  return trackedFiles().filter(
    (file) => file.endsWith('.ts') && folders.some((folder) => file.startsWith(folder)),
  );
}

/** Text of a file of the checkout. */
export function readTracked(file: string): string {
  return readFileSync(join(root, file), 'utf8');
}

/** All projects, that is folders with a project.json. */
export function projects(): Project[] {
  return trackedFiles()
    .filter((file) => file.endsWith('/project.json'))
    .map((file) => {
      const directory = file.slice(0, -'/project.json'.length);
      const project = JSON.parse(readTracked(file)) as { tags?: string[] };
      const manifest = JSON.parse(readTracked(`${directory}/package.json`)) as { name: string };
      return { directory, name: manifest.name, tags: project.tags ?? [] };
    });
}
