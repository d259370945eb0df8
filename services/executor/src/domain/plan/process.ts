import { hasControlCharacters } from '@teu/ids';
import type { ProcessPlan, SeccompPlan, UserPlan } from '@teu/native';
import type { ConsoleSize, Process, User } from '@teu/proto/executor';
import { planCapabilities } from './capabilities.js';
import { checkAbsolutePath, checkInteger, checkNoNul } from './check-text.js';
import { planRlimits } from './rlimits.js';
import { specError } from './spec-error.js';

/** The kernel takes ids up to 2^32-2; above 2^31-1 some programs read them as negative (CVE-2024-40635). */
const ID_MAX = 2 ** 31 - 1;
const WINDOW_SIZE_MAX = 65535;
const SUPPLEMENTARY_GROUPS_MAX = 65536;
/** `user[:group]`: long enough for every real name, short enough to look up. */
const USERNAME_LENGTH_MAX = 512;

/**
 * The program to run, apart from its system call filter, which `seccompFor` makes from the bounding set.
 * @param field where the message is in the request: `spec.process` or `process`
 */
export function planProcess(
  program: Process | undefined,
  field: string,
  seccompFor: (bounding: bigint) => SeccompPlan | null,
): ProcessPlan {
  if (program === undefined) throw specError(field, 'is missing');
  const capabilities = planCapabilities(program.capabilities, `${field}.capabilities`);
  const { oomScoreAdj, user } = program;
  return {
    argv: planArguments(program.args, `${field}.args`),
    env: program.env.map((entry, index) => checkVariable(entry, `${field}.env[${index}]`)),
    cwd: checkAbsolutePath(program.cwd, `${field}.cwd`),
    user: planUser(user, `${field}.user`),
    capabilities,
    noNewPrivileges: program.noNewPrivileges,
    seccomp: seccompFor(capabilities.bounding),
    rlimits: planRlimits(program.rlimits, `${field}.rlimits`),
    oomScoreAdj:
      oomScoreAdj === undefined
        ? null
        : checkInteger(oomScoreAdj, -1000, 1000, `${field}.oom_score_adj`),
    umask:
      user?.umask === undefined ? null : checkInteger(user.umask, 0, 0o777, `${field}.user.umask`),
    personality: null,
    terminal: planTerminal(program.terminal, program.consoleSize, `${field}.console_size`),
    stdin: program.stdinOpen ? 'pipe' : 'null',
  };
}

/** A terminal's size, checked. */
export function checkConsoleSize(
  size: ConsoleSize | undefined,
  field: string,
): { rows: number; columns: number } {
  return {
    rows: checkInteger(size?.height ?? 0, 0, WINDOW_SIZE_MAX, `${field}.height`),
    columns: checkInteger(size?.width ?? 0, 0, WINDOW_SIZE_MAX, `${field}.width`),
  };
}

function planTerminal(
  terminal: boolean,
  size: ConsoleSize | undefined,
  field: string,
): ProcessPlan['terminal'] {
  if (terminal) return checkConsoleSize(size, field);
  if (size !== undefined) throw specError(field, 'is set, but there is no terminal');
  return null;
}

function planArguments(args: readonly string[], field: string): string[] {
  if (args[0] === undefined || args[0] === '') throw specError(field, 'names no program');
  return args.map((argument, index) => checkNoNul(argument, `${field}[${index}]`));
}

function checkVariable(entry: string, field: string): string {
  if (entry.indexOf('=') < 1) throw specError(field, 'is not NAME=value');
  return checkNoNul(entry, field);
}

function planUser(user: User | undefined, field: string): UserPlan {
  if (user === undefined) return { kind: 'ids', uid: 0, gid: 0, additionalGids: [] };
  const { username, uid, gid, additionalGids } = user;
  if (username !== '') {
    if (uid !== 0 || gid !== 0 || additionalGids.length > 0) {
      throw specError(`${field}.username`, 'is set, and so are ids');
    }
    return { kind: 'name', name: checkUsername(username, `${field}.username`), additionalGids: [] };
  }
  if (additionalGids.length > SUPPLEMENTARY_GROUPS_MAX) {
    throw specError(`${field}.additional_gids`, `has more than ${SUPPLEMENTARY_GROUPS_MAX}`);
  }
  return {
    kind: 'ids',
    uid: checkInteger(uid, 0, ID_MAX, `${field}.uid`),
    gid: checkInteger(gid, 0, ID_MAX, `${field}.gid`),
    additionalGids: additionalGids.map((id, index) =>
      checkInteger(id, 0, ID_MAX, `${field}.additional_gids[${index}]`),
    ),
  };
}

function checkUsername(username: string, field: string): string {
  if (
    hasControlCharacters(username) ||
    username.includes(' ') ||
    username.length > USERNAME_LENGTH_MAX
  ) {
    throw specError(field, 'is not user[:group]');
  }
  return username;
}
