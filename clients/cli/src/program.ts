import { CliError, UsageError } from './cli-error.js';
import type { Command } from './command.js';
import { commands, findCommand } from './command-table.js';
import type { Context } from './context.js';
import { commandHelp, overview } from './help.js';
import { nearestName } from './options/nearest-name.js';
import { parseOptions } from './options/parse-options.js';
import { reportError } from './output/report-error.js';

/**
 * Runs one command line to its end. Never throws: what goes wrong is told on standard error.
 * Many may run at a time in one process.
 * @returns the exit code
 */
export async function runProgram(context: Context): Promise<number> {
  const [word = 'help', ...others] = context.args;
  if (['help', '--help', '-h'].includes(word)) return runHelp(context, others);
  const isVersion = word === '--version' || word === '-v';
  const { command, rest } = findCommand(isVersion ? ['version', ...others] : context.args);
  try {
    if (command === undefined) throw unknownCommand(word, commands);
    return await runCommand(context, command, rest);
  } catch (error) {
    // An abort makes whatever was waited for fail; the abort is why.
    const reason: unknown = context.abort.aborted ? context.abort.reason : error;
    return reportError(context, reason, command);
  }
}

async function runCommand(
  context: Context,
  command: Command,
  words: readonly string[],
): Promise<number> {
  const line = parseOptions(command.options, words, command.optionsFirst);
  const [word] = line.args;
  if (command.subcommands !== undefined && word !== undefined) {
    throw unknownCommand(`${command.name} ${word}`, command.subcommands);
  }
  if (line.help) {
    await context.stdout.write(commandHelp(command));
    return 0;
  }
  const { min, max } = command.arguments;
  const exitCode = command.argumentsCode ?? 1;
  if (line.args.length < min) {
    throw new UsageError(
      `"teu ${command.name}" needs ${countOf(min)}: ${command.usage}`,
      undefined,
      exitCode,
    );
  }
  if (max !== undefined && line.args.length > max) {
    throw new UsageError(
      `"teu ${command.name}" takes ${max === 0 ? 'no argument' : `at most ${countOf(max)}`}, ` +
        `and "${line.args[max] ?? ''}" is too much`,
      undefined,
      exitCode,
    );
  }
  return command.run({ context, options: line.options, args: line.args });
}

const countOf = (count: number) => (count === 1 ? 'an argument' : `${String(count)} arguments`);

function unknownCommand(words: string, among: readonly Command[]): CliError {
  const above = words.slice(0, words.indexOf(' ') + 1);
  const near = nearestName(
    words.slice(above.length),
    among.filter((command) => !command.hidden).map(({ name }) => name.slice(above.length)),
  );
  return new CliError(`there is no command "${words}"`, {
    hint:
      near === undefined
        ? `all commands: teu help ${above}`.trimEnd()
        : `did you mean: teu ${above}${near}`,
    exitCode: 1,
  });
}

async function runHelp(context: Context, words: readonly string[]): Promise<number> {
  const { command } = findCommand(words);
  const [name] = words;
  if (name !== undefined && command === undefined) {
    return reportError(context, unknownCommand(name, commands), undefined);
  }
  await context.stdout.write(command === undefined ? overview(commands) : commandHelp(command));
  return 0;
}
