import { isTeuError } from '@teu/errors';
import { CliError, UsageError } from '../cli-error.js';
import type { Command } from '../command.js';
import { Interrupted, type Context } from '../context.js';
import { visible } from './visible.js';

/** What an error is for people, and how the command ends. */
export interface ErrorReport {
  readonly message: string;
  readonly hint: string | undefined;
  readonly exitCode: number;
}

/**
 * Puts an error into words. Exit codes are docker's: 125 for the engine's refusal of a run, 126 for a
 * program that can't be executed, 127 for one that isn't there, 1 elsewhere.
 */
export function describeError(error: unknown, command: Command | undefined): ErrorReport {
  const failureCode = command?.failureCode ?? 1;
  if (error instanceof Interrupted) {
    return { message: '', hint: undefined, exitCode: error.exitCode };
  }
  if (error instanceof UsageError) {
    const help = command === undefined ? 'teu help' : `teu ${command.name} --help`;
    return {
      message: error.message,
      hint: error.hint === undefined ? `see ${help}` : `${error.hint} (see ${help})`,
      exitCode: error.exitCode ?? 125,
    };
  }
  if (error instanceof CliError) {
    return { message: error.message, hint: error.hint, exitCode: error.exitCode ?? failureCode };
  }
  if (isTeuError(error)) {
    return {
      message: visible(error.message),
      hint: hints[error.reason]?.(error.metadata),
      exitCode: programExitCodes[error.reason] ?? failureCode,
    };
  }
  const text = error instanceof Error ? error.message : String(error);
  return { message: `unexpected: ${text}`, hint: undefined, exitCode: failureCode };
}

const programExitCodes: Readonly<Record<string, number>> = {
  PROGRAM_NOT_FOUND: 127,
  PROGRAM_NOT_EXECUTABLE: 126,
};

const hints: Readonly<Record<string, (metadata: Record<string, string>) => string>> = {
  UNAVAILABLE: () => 'is the engine up? start it with: teu up --detach',
  IMAGE_NOT_FOUND: ({ host, repository = 'NAME' }) =>
    host === undefined
      ? 'images that are here: teu images; bring one with: teu pull NAME, or teu load -i FILE'
      : `is the name right? tags that are there: teu image tags ${host}/${repository}; a private image needs: teu login ${host}`,
  REGISTRY_DENIED: ({ host = '' }) => `log in with: teu login ${host}`.trimEnd(),
  REGISTRY_UNAVAILABLE: ({ failure = '' }) =>
    failure === 'untrusted' || failure === 'no tls'
      ? 'authorities, and registries without TLS, are configured in /etc/teu/registries.json'
      : 'what was downloaded is kept: the same command goes on from there',
  CONTAINER_NOT_FOUND: () => 'containers that are here: teu ps -a',
  CONTAINER_NAME_IN_USE: () => 'choose another name, or remove the other one: teu rm -f NAME',
  CONTAINER_RUNNING: () => 'stop it first with: teu stop, or use -f',
  CONTAINER_PAUSED: () => 'let it go on with: teu unpause, or its group with: teu group thaw',
  GROUP_NOT_FOUND: ({ group = 'NAME' }) =>
    `groups that are here: teu group ls; make it with: teu group create ${group}`,
  GROUP_EXISTS: ({ group = 'NAME' }) => `change its limits with: teu group update ${group}`,
  GROUP_BUSY: ({ group = 'NAME', container_count: containers = '0' }) =>
    containers === '0'
      ? `with all groups in it: teu group rm -r ${group}`
      : `containers in it: teu ps -a --filter group=${group}`,
  DRIVER_NOT_FOUND: () => 'storage drivers that are here: teu driver ls',
  DRIVER_UNAVAILABLE: () => 'how it is: teu driver ls',
  DRIVER_IN_USE: ({ driver = 'NAME' }) =>
    `containers on it: teu ps -a --filter driver=${driver}; another default: teu driver default NAME`,
  BASE_UPGRADE_NOT_FOUND: () => 'upgrades that are on record: teu image upgrades',
  INTERNAL: () => 'the services’ logs are in $TEU_DATA_DIR/log',
};

/** Prints an error as `teu: message` with a hint below. Returns the exit code. */
export async function reportError(
  context: Context,
  error: unknown,
  command: Command | undefined,
): Promise<number> {
  const report = describeError(error, command);
  if (report.message !== '') {
    const hint = report.hint === undefined ? '' : `     ${report.hint}\n`;
    await context.stderr.write(`teu: ${report.message}\n${hint}`);
  }
  return report.exitCode;
}
