import {
  BaseServiceService,
  EditBaseHeader,
  EditBaseResponse,
  NetworkMode,
  type EditBaseRequest,
} from '@teu/proto/engine';
import type { Change } from '@teu/proto/image';
import { writeRecord } from '../../attachment/output-records.js';
import { ask } from '../../ask.js';
import { CliError, UsageError } from '../../cli-error.js';
import type { Command, Invocation } from '../../command.js';
import { shortId } from '../../output/for-people.js';
import { formatOption, jsonLine, wantsJson } from '../../output/json.js';
import { changeLines, counted } from './plan-lines.js';

const networks: Readonly<Record<string, NetworkMode>> = {
  none: NetworkMode.NETWORK_MODE_NONE,
  host: NetworkMode.NETWORK_MODE_HOST,
};

/** What is asked for, checked as far as the client can. */
function headerOf({ context, options, args }: Invocation): EditBaseHeader {
  const [image = '', ...program] = args;
  const reason = options.value('reason') ?? '';
  if (reason === '') {
    throw new UsageError(
      'an edit needs a --reason',
      'it is kept with the edit, for those who wonder',
    );
  }
  const dryRun = options.flag('dry-run');
  const hasConsent = options.flag('yes');
  if (!dryRun && !hasConsent && !context.stdin.isTerminal) {
    throw new UsageError(
      'without a terminal there is nobody to ask: add --yes, or --dry-run to look first',
    );
  }
  return EditBaseHeader.create({
    ...{ image, reason, args: program, dryRun, hasConsent },
    driver: options.value('storage-driver') ?? '',
    env: [...options.list('env')],
    user: options.value('user') ?? '',
    workingDir: options.value('workdir') ?? '',
    network: networks[options.value('network') ?? 'none'] ?? NetworkMode.NETWORK_MODE_NONE,
  });
}

/** One edit: its messages to and fro, and what is printed of them. */
class Edit {
  readonly #invocation: Invocation;
  readonly #header: EditBaseHeader;
  readonly #decision = Promise.withResolvers<boolean>();
  readonly #changes: Change[] = [];
  #isRefused = false;

  constructor(invocation: Invocation) {
    this.#invocation = invocation;
    this.#header = headerOf(invocation);
  }

  /** @returns exit code: that of the program, if it failed; 1 if the client refused */
  async run(): Promise<number> {
    const { context } = this.#invocation;
    const { editBase: method } = BaseServiceService;
    const options = { signal: context.abort };
    let exitCode = 1;
    try {
      const answers = context.services.engine.bidi(method, this.#requests(), options);
      for await (const answer of answers) exitCode = (await this.#take(answer)) ?? exitCode;
    } finally {
      this.#decision.resolve(false);
    }
    if (this.#isRefused) throw new CliError('nothing was changed', { exitCode: 1 });
    return exitCode;
  }

  async *#requests(): AsyncGenerator<EditBaseRequest> {
    yield { part: { $case: 'header', value: this.#header } };
    if (this.#header.dryRun || this.#header.hasConsent) return;
    yield { part: { $case: 'consent', value: await this.#decision.promise } };
  }

  /** @returns exit code of the command, as far as it is known by now */
  async #take(answer: EditBaseResponse): Promise<number | undefined> {
    const { context, options } = this.#invocation;
    const { part } = answer;
    const isJson = wantsJson(options);
    if (isJson) await context.stdout.write(jsonLine(EditBaseResponse.toJSON(answer)));
    switch (part?.$case) {
      case 'record':
        if (!isJson) await writeRecord(context, part.value);
        return undefined;
      case 'exit':
        if (part.value.exitCode === 0) return undefined;
        await context.stderr.write('the program failed, so nothing is changed\n');
        return part.value.exitCode;
      case 'changes':
        if (!isJson) this.#changes.push(...part.value.changes);
        return undefined;
      case 'proposal':
        return this.#propose(part.value.changeCount, part.value.containerCount);
      case 'edit': {
        const { id, changeCount, containerCount } = part.value;
        const done = `edit ${shortId(id)}: ${counted(changeCount, 'file')} changed in ${this.#header.image}, for ${counted(containerCount, 'container')}\n`;
        if (!isJson) await context.stdout.write(done);
        return 0;
      }
      default:
        return undefined;
    }
  }

  async #propose(changeCount: number, containerCount: number): Promise<number | undefined> {
    const { context, options } = this.#invocation;
    const { image, dryRun, hasConsent } = this.#header;
    const lines = changeCount === 0 ? 'nothing would change\n' : changeLines(this.#changes);
    if (!wantsJson(options)) await context.stdout.write(lines);
    if (changeCount === 0) return 0;
    const who = counted(containerCount, 'container');
    if (dryRun && !wantsJson(options)) {
      await context.stdout.write(`would change ${counted(changeCount, 'file')} for ${who}\n`);
    }
    if (dryRun) return 0;
    if (hasConsent) return undefined;
    const question = `Change ${counted(changeCount, 'file')} in ${image} itself, for ${who}?`;
    const isWanted = await ask(context, question);
    this.#isRefused = !isWanted;
    this.#decision.resolve(isWanted);
    return undefined;
  }
}

export const editBase: Command = {
  name: 'image edit-base',
  group: 'images',
  summary: 'Change a base in place, for all containers that have it, running or not',
  usage: 'IMAGE -- COMMAND [ARG...]',
  options: [
    { name: 'reason', kind: 'value', value: 'TEXT', doc: 'why; kept with the edit' },
    { name: 'dry-run', kind: 'flag', doc: 'tell what would change, and change nothing' },
    { name: 'yes', short: 'y', kind: 'flag', doc: 'do not ask' },
    {
      ...{ name: 'storage-driver', kind: 'value', value: 'NAME', completes: 'drivers' },
      doc: 'storage driver in which to change it; it must be able to (merge-into-parent)',
    },
    { name: 'env', short: 'e', kind: 'list', value: 'NAME=VALUE', doc: 'environment variable' },
    { name: 'user', short: 'u', kind: 'value', value: 'USER', doc: 'user[:group]' },
    { name: 'workdir', short: 'w', kind: 'value', value: 'PATH', doc: 'working directory' },
    {
      ...{ name: 'network', kind: 'value', value: 'MODE', choices: Object.keys(networks) },
      doc: 'network of the program',
    },
    formatOption,
  ],
  arguments: { min: 2 },
  completes: 'images',
  failureCode: 125,
  examples: [
    {
      command: `teu image edit-base debian:12 --reason CVE-2026-1 --dry-run -- sh -c 'rm /usr/bin/x'`,
      meaning: 'what the command would change',
    },
    {
      command:
        'teu image edit-base debian:12 --reason CVE-2026-1 --network host -- apt-get upgrade -y',
      meaning: 'shows what it changed, and asks',
    },
  ],
  run: (invocation) => new Edit(invocation).run(),
};
