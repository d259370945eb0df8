import { ContainerState } from '@teu/proto/engine';
import { commands, findCommand } from '../command-table.js';
import type { Command } from '../command.js';
import type { Context } from '../context.js';
import { driverKinds } from '../driver-kinds.js';
import { listContainers, listImages } from '../list-pages.js';
import type { ArgumentKind, OptionSpec } from '../options/parse-options.js';
import { listUpgrades } from './image/list-upgrades.js';
import { listDrivers, nameOfDriver } from './driver/list-drivers.js';
import { listGroups } from './group/list-groups.js';
import { shortId } from '../output/for-people.js';

/** What the scripts of `teu completion` take for "names of files". */
const fileNames = [':files'];

/** The words that may stand in the place of the last one of a command line. */
export async function candidates(context: Context, words: readonly string[]): Promise<string[]> {
  const last = words.at(-1) ?? '';
  if (words.length <= 1) {
    return commands.filter((command) => !command.hidden).map((command) => command.name);
  }
  const { command, rest } = findCommand(words.slice(0, -1));
  if (command === undefined) return [];
  if (command.subcommands !== undefined) {
    return rest.length > 0 ? [] : command.subcommands.map(({ name }) => lastWord(name));
  }
  const before = optionBefore(command, rest);
  if (before !== undefined) return valuesOf(context, before);
  if (last.startsWith('-')) return command.options.map((spec) => `--${spec.name}`);
  if (command.name === 'completion') return ['bash', 'zsh', 'fish'];
  const position = argumentsIn(command, rest);
  const single = command.optionsFirst === true || command.arguments.max === 1;
  return position > 0 && single ? fileNames : argumentNames(context, command.completes);
}

const lastWord = (name: string) => name.slice(name.lastIndexOf(' ') + 1);

/** The option that the last of these words leaves without its value. */
function optionBefore(command: Command, words: readonly string[]): OptionSpec | undefined {
  const word = words.at(-1) ?? '';
  return command.options.find(
    (spec) =>
      spec.kind !== 'flag' &&
      (word === `--${spec.name}` || (spec.short !== undefined && word === `-${spec.short}`)),
  );
}

function argumentsIn(command: Command, words: readonly string[]): number {
  return words.filter(
    (word, index) =>
      !word.startsWith('-') && optionBefore(command, words.slice(0, index)) === undefined,
  ).length;
}

async function valuesOf(context: Context, spec: OptionSpec): Promise<string[]> {
  if (spec.choices !== undefined) return [...spec.choices];
  if (spec.suggestions !== undefined) return [...spec.suggestions];
  if (spec.completes !== undefined) return argumentNames(context, spec.completes);
  return spec.value === 'FILE' || spec.value === 'DIRECTORY' ? fileNames : [];
}

async function argumentNames(context: Context, kind: ArgumentKind): Promise<string[]> {
  if (kind === 'nothing') return [];
  if (kind === 'files') return fileNames;
  if (kind === 'driver kinds') return [...driverKinds];
  if (kind === 'drivers') return (await listDrivers(context)).map(nameOfDriver);
  if (kind === 'groups') return (await listGroups(context)).map(({ name }) => name);
  if (kind === 'upgrades') return (await listUpgrades(context)).map(({ id }) => shortId(id));
  if (kind === 'images') {
    const images = await listImages(context);
    return images.flatMap((image) =>
      image.references.length > 0 ? image.references : [shortId(image.id)],
    );
  }
  const containers = await listContainers(context, { all: kind !== 'running' });
  return containers
    .filter(({ state }) => kind !== 'stopped' || state !== ContainerState.CONTAINER_STATE_RUNNING)
    .map(({ name }) => name);
}

export const complete: Command = {
  name: 'complete',
  group: 'engine',
  summary: 'Print what may stand in the place of the last word of a command line',
  usage: '-- WORD...',
  options: [],
  arguments: { min: 0 },
  completes: 'nothing',
  examples: [],
  hidden: true,
  async run({ context, args }) {
    const words = await candidates(context, args);
    await context.stdout.write(words.map((word) => `${word}\n`).join(''));
    return 0;
  },
};
