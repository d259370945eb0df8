import { ContainerTreeServiceService } from '@teu/proto/engine';
import { Change, ChangeKind } from '@teu/proto/image';
import type { Command } from '../command.js';
import { formatOption, jsonLine, wantsJson } from '../output/json.js';
import { visible } from '../output/visible.js';

const letters: Readonly<Record<number, string>> = {
  [ChangeKind.CHANGE_KIND_ADDED]: 'A',
  [ChangeKind.CHANGE_KIND_REMOVED]: 'D',
};

/** Lines as docker has them: a directory in which something changed has changed, too. */
export class DiffLines {
  readonly #told = new Set<string>();

  linesOf({ kind, path }: Pick<Change, 'kind' | 'path'>): string[] {
    const lines: string[] = [];
    for (let end = path.indexOf('/', 1); end > 0; end = path.indexOf('/', end + 1)) {
      const directory = path.slice(0, end);
      if (!this.#told.has(directory)) lines.push(`C ${directory}`);
      this.#told.add(directory);
    }
    this.#told.add(path);
    return [...lines, `${letters[kind] ?? 'C'} ${path}`];
  }
}

export const diff: Command = {
  name: 'diff',
  group: 'containers',
  summary: 'Show what a container has changed in its root file system',
  usage: 'CONTAINER',
  options: [formatOption],
  arguments: { min: 1, max: 1 },
  completes: 'containers',
  examples: [{ command: 'teu diff web', meaning: 'A for added, C for changed, D for deleted' }],
  async run({ context, options, args }) {
    const { diffContainer } = ContainerTreeServiceService;
    const request = { container: args[0] ?? '' };
    const call = { signal: context.abort };
    const lines = new DiffLines();
    const answers = context.services.engine.serverStream(diffContainer, request, call);
    for await (const { changes } of answers) {
      const text = wantsJson(options)
        ? changes.map((change) => jsonLine(Change.toJSON(change)))
        : changes.flatMap((change) => lines.linesOf(change)).map((line) => `${visible(line)}\n`);
      await context.stdout.write(text.join(''));
    }
    return 0;
  },
};
