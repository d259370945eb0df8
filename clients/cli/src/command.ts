import type { Context } from './context.js';
import type { ArgumentKind, OptionSpec, ParsedOptions } from './options/parse-options.js';

/** A command as it was given. */
export interface Invocation {
  readonly context: Context;
  readonly options: ParsedOptions;
  readonly args: readonly string[];
}

/** One command of the client. */
export interface Command {
  /** "run"; the name of a sub-command has that of the command above it, "driver ls". */
  readonly name: string;
  readonly group: 'containers' | 'images' | 'engine';
  /** One line, for the list of commands. */
  readonly summary: string;
  /** Arguments as the help shows them, for example "IMAGE [COMMAND] [ARG...]". */
  readonly usage: string;
  readonly options: readonly OptionSpec[];
  /** How many arguments it takes; without max as many as there are. */
  readonly arguments: { readonly min: number; readonly max?: number };
  /** Whether options end at the first argument: what follows belongs to a program in a container. */
  readonly optionsFirst?: boolean;
  readonly completes: ArgumentKind;
  readonly examples: readonly { readonly command: string; readonly meaning: string }[];
  /** Exit code when the engine refuses; docker has 125 for run, 1 elsewhere. */
  readonly failureCode?: number;
  /** Exit code for a wrong number of arguments; docker has 1. */
  readonly argumentsCode?: number;
  /** Whether it starts or ends the resident process and so can't run in it. */
  readonly ownProcess?: boolean;
  /** Not listed in the help. */
  readonly hidden?: boolean;
  /** A command that has them does nothing by itself but say which there are. */
  readonly subcommands?: readonly Command[];
  /** Runs the command. Returns the exit code. */
  run(invocation: Invocation): Promise<number>;
}
