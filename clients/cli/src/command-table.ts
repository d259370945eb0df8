import type { Command } from './command.js';
import { attach } from './commands/attach.js';
import { complete } from './commands/complete.js';
import { completion } from './commands/completion.js';
import { create } from './commands/create.js';
import { down } from './commands/down.js';
import { driver } from './commands/driver.js';
import { events } from './commands/events.js';
import { exec } from './commands/exec.js';
import { commit } from './commands/commit.js';
import { container } from './commands/container.js';
import { diff } from './commands/diff.js';
import { exportTree } from './commands/export.js';
import { group } from './commands/group.js';
import { history } from './commands/history.js';
import { image } from './commands/image.js';
import { images } from './commands/images.js';
import { inspect } from './commands/inspect.js';
import { kill } from './commands/kill.js';
import { load } from './commands/load.js';
import { logs } from './commands/logs.js';
import { login } from './commands/login.js';
import { logout } from './commands/logout.js';
import { pause } from './commands/pause.js';
import { ps } from './commands/ps.js';
import { pull } from './commands/pull.js';
import { push } from './commands/push.js';
import { rm } from './commands/rm.js';
import { rmi } from './commands/rmi.js';
import { run } from './commands/run.js';
import { importTree } from './commands/import.js';
import { save } from './commands/save.js';
import { start } from './commands/start.js';
import { stats } from './commands/stats.js';
import { status } from './commands/status.js';
import { stop } from './commands/stop.js';
import { tag } from './commands/tag.js';
import { unpause } from './commands/unpause.js';
import { update } from './commands/update.js';
import { up } from './commands/up.js';
import { usage } from './commands/usage.js';
import { version } from './commands/version.js';
import { wait } from './commands/wait.js';

/** All commands, in the order of the help. */
export const commands: readonly Command[] = [
  ...[up, down, status, driver, events, version, completion, complete],
  ...[run, create, update, start, stop, kill, pause, unpause, rm],
  ...[exec, attach, ps, stats, inspect, logs, wait, usage],
  ...[diff, exportTree, commit, container, group],
  ...[pull, push, login, logout, load, importTree, save, images, history, tag, rmi, image],
];

/** A command and the words that follow its name. */
export interface FoundCommand {
  /** Undefined if there is none of that name. */
  readonly command: Command | undefined;
  readonly rest: readonly string[];
}

/** The command that a line of words names; of one with sub-commands the one that the second word says. */
export function findCommand(words: readonly string[]): FoundCommand {
  const [word, ...rest] = words;
  const command = commands.find(({ name }) => name === word);
  const subcommand = command?.subcommands?.find(
    ({ name }) => name === `${command.name} ${rest[0]}`,
  );
  return subcommand === undefined
    ? { command, rest }
    : { command: subcommand, rest: rest.slice(1) };
}
