import { describe, expect, test } from 'vitest';
import { projects, readTracked, trackedFiles } from './tree.js';

const hasExtension = (file: string, ...extensions: string[]) =>
  extensions.some((extension) => file.endsWith(extension));

const isCode = (file: string) => hasExtension(file, '.ts', '.mjs', '.cc', '.h', '.py', '.proto');

const topLevel = new Set([
  '.ci',
  '.editorconfig',
  '.gitignore',
  '.prettierignore',
  '.prettierrc.json',
  'ARCHITECTURE.md',
  'LICENSE',
  'README.md',
  'clients',
  'docker-compose.dev.yml',
  'eslint.config.mjs',
  'libs',
  'native',
  'nx.json',
  'package-lock.json',
  'package.json',
  'proto',
  'services',
  'test',
  'tools',
  'tsconfig.base.json',
  'tsconfig.json',
  'vitest.config.ts',
]);

/** What a source may not contain, where it may all the same, and what to use instead. */
const banned: readonly { token: RegExp; instead: string; except?: RegExp }[] = [
  { token: /\bFIXME\b|\bXXX\b/, instead: 'mend it, or say in the docs that it is missing' },
  { token: /\bTODO\b(?!\(#\d+\))/, instead: 'TODO(#issue)' },
  { token: /\.only\(/, instead: 'a filter on the command line' },
  { token: /\bexecSync\b/, instead: 'execFile with an argument list' },
  { token: /handleUnaryCall/, instead: 'implement() of @teu/rpc', except: /^libs\/rpc\// },
  {
    token: /addService\(/,
    instead: 'startRpcServer() of @teu/rpc',
    except: /^libs\/(rpc|testing)\//,
  },
];

describe('the house', () => {
  test('has nothing at the top level that is not in the plan', () => {
    const entries = new Set(trackedFiles().map((file) => file.split('/')[0] ?? ''));
    expect([...entries].filter((entry) => !topLevel.has(entry))).toEqual([]);
  });

  test('has no file of more than 600 lines', () => {
    const long = trackedFiles()
      .filter(isCode)
      .map((file) => ({ file, lines: readTracked(file).split('\n').length - 1 }))
      .filter(({ lines }) => lines > 600);
    expect(long).toEqual([]);
  });

  test('has mostly files of less than 150 lines', () => {
    const sources = trackedFiles().filter(
      (file) => hasExtension(file, '.ts', '.cc', '.h') && !hasExtension(file, '.test.ts'),
    );
    const short = sources.filter((file) => readTracked(file).split('\n').length <= 150);
    expect(short.length / sources.length).toBeGreaterThan(0.75);
  });

  test('names files by their one job', () => {
    const vague = /\/(utils?|helpers?|common|misc|manager|stuff)\.(ts|cc|h)$/;
    expect(trackedFiles().filter((file) => vague.test(file))).toEqual([]);
  });

  test('has kebab-case names for TypeScript and snake_case for C++', () => {
    const wrong = trackedFiles().filter((file) => {
      const name = file.split('/').at(-1) ?? '';
      if (file.endsWith('.ts')) return !/^[a-z0-9]+([-.][a-z0-9]+)*\.ts$/.test(name);
      if (hasExtension(file, '.cc', '.h')) return !/^[a-z0-9]+(_[a-z0-9]+)*\.(cc|h)$/.test(name);
      return false;
    });
    expect(wrong).toEqual([]);
  });

  test.each(banned)('does not contain $token', ({ token, instead, except }) => {
    const hits = trackedFiles()
      .filter((file) => isCode(file) && !file.startsWith('test/tidy/') && !except?.test(file))
      .flatMap((file) =>
        readTracked(file)
          .split('\n')
          .map((line, index) => ({ at: `${file}:${String(index + 1)}`, line }))
          .filter(({ line }) => token.test(line)),
      );
    expect(hits, `use instead: ${instead}`).toEqual([]);
  });

  test('gives every project a README, tags and a place in ARCHITECTURE.md', () => {
    const architecture = readTracked('ARCHITECTURE.md');
    for (const project of projects()) {
      expect(trackedFiles(), project.directory).toContain(`${project.directory}/README.md`);
      expect(project.tags, project.directory).not.toEqual([]);
      expect(architecture, project.directory).toContain(`\`${project.directory}\``);
    }
  });

  test('keeps proto packages in the folders of their names', () => {
    for (const file of trackedFiles().filter((name) =>
      /^proto\/(teu|containerd)\/.*\.proto$/.test(name),
    )) {
      const folder = file.split('/').slice(1, -1).join('.');
      expect(/^package ([\w.]+);/m.exec(readTracked(file))?.[1], file).toBe(folder);
    }
  });
});
