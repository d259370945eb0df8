import { clientVersion } from './config.js';
import type { Command } from './command.js';
import type { OptionSpec } from './options/parse-options.js';

const groups: readonly (readonly [Command['group'], string])[] = [
  ['engine', 'Engine'],
  ['containers', 'Containers'],
  ['images', 'Images'],
];

const aligned = (pairs: readonly (readonly [string, string])[]): string => {
  const width = Math.max(0, ...pairs.map(([left]) => left.length));
  return pairs.map(([left, right]) => `  ${left.padEnd(width)}  ${right}\n`).join('');
};

/** The list of all commands. */
export function overview(commands: readonly Command[]): string {
  const parts = groups.map(([group, title]) => {
    const pairs = commands
      .filter((command) => command.group === group && !command.hidden)
      .map((command) => [command.name, command.summary] as const);
    return `\n${title}\n${aligned(pairs)}`;
  });
  return (
    `teu ${clientVersion}, a container engine\n\nUsage: teu COMMAND [OPTIONS] [ARGUMENTS]\n` +
    `${parts.join('')}\n` +
    'teu COMMAND --help says more about one of them.\n' +
    'TEU_RUN_DIR (/run/teu) and TEU_DATA_DIR (/var/lib/teu) choose the engine.\n'
  );
}

/** Usage, options and examples of one command. */
export function commandHelp(command: Command): string {
  const usage = ['teu', command.name, ...(command.options.length > 0 ? ['[OPTIONS]'] : [])];
  const subcommands = (command.subcommands ?? []).map(
    ({ name, summary }) => [name, summary] as const,
  );
  if (command.usage !== '') usage.push(command.usage);
  const options = [...command.options]
    .sort((a, b) => a.name.localeCompare(b.name))
    .map((spec) => [optionWords(spec), optionDoc(spec)] as const);
  const examples = command.examples.map((example) => [example.command, example.meaning] as const);
  return (
    `${command.summary}\n\nUsage: ${usage.join(' ')}\n` +
    (subcommands.length > 0 ? `\nCommands\n${aligned(subcommands)}` : '') +
    (options.length > 0 ? `\nOptions\n${aligned(options)}` : '') +
    (examples.length > 0 ? `\nExamples\n${aligned(examples)}` : '')
  );
}

function optionWords(spec: OptionSpec): string {
  const short = spec.short === undefined ? '    ' : `-${spec.short}, `;
  return `${short}--${spec.name}${spec.value === undefined ? '' : ` ${spec.value}`}`;
}

function optionDoc(spec: OptionSpec): string {
  const choices = spec.choices === undefined ? '' : ` (${spec.choices.join(', ')})`;
  return `${spec.doc}${choices}${spec.kind === 'list' ? '; may be repeated' : ''}`;
}
