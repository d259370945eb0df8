import { CliError } from '../cli-error.js';
import type { Context } from '../context.js';
import { spawn } from 'node:child_process';
import { once } from 'node:events';

/** A login that a helper program keeps. */
export interface HelperLogin {
  user: string;
  /** Password; with the user "<token>" an identity token. */
  secret: string;
}

type Caller = Pick<Context, 'env' | 'cwd' | 'abort'>;

const outputBytesMax = 1024 * 1024;
const helperMs = 60_000;

/** Asks a helper (docker-credential-helpers, "get"); undefined if it has no login. */
export async function helperGet(
  caller: Caller,
  helper: string,
  server: string,
): Promise<HelperLogin | undefined> {
  const { code, output } = await runHelper(caller, helper, 'get', server);
  if (code !== 0) {
    if (/credentials not found/i.test(output)) return undefined;
    throw failure(helper, 'get', code);
  }
  try {
    const answer = JSON.parse(output) as { Username?: unknown; Secret?: unknown };
    if (typeof answer.Username === 'string' && typeof answer.Secret === 'string') {
      return { user: answer.Username, secret: answer.Secret };
    }
  } catch {
    // Told below, without what it printed: that may be a secret.
  }
  throw new CliError(`docker-credential-${helper} gives an answer that can’t be understood`);
}

/** Gives a login to a helper to keep. */
export async function helperStore(
  caller: Caller,
  helper: string,
  server: string,
  { user, secret }: HelperLogin,
): Promise<void> {
  const input = JSON.stringify({ ServerURL: server, Username: user, Secret: secret });
  const { code } = await runHelper(caller, helper, 'store', input);
  if (code !== 0) throw failure(helper, 'store', code);
}

/** Has a helper forget a login; one that it does not have is no failure. */
export async function helperErase(caller: Caller, helper: string, server: string): Promise<void> {
  const { code, output } = await runHelper(caller, helper, 'erase', server);
  if (code !== 0 && !/credentials not found/i.test(output)) throw failure(helper, 'erase', code);
}

async function runHelper(
  { env, cwd, abort }: Caller,
  helper: string,
  verb: string,
  input: string,
): Promise<{ code: number | null; output: string }> {
  if (!/^[\w.-]{1,64}$/.test(helper))
    throw new CliError('the name of the credential helper is odd');
  const program = `docker-credential-${helper}`;
  const signal = AbortSignal.any([abort, AbortSignal.timeout(helperMs)]);
  const child = spawn(program, [verb], { env, cwd, signal, stdio: ['pipe', 'pipe', 'ignore'] });
  // A helper that reads nothing is no failure of ours.
  child.stdin.on('error', () => undefined).end(input);
  let output = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    if (output.length < outputBytesMax) output += text;
  });
  try {
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, output };
  } catch (cause) {
    abort.throwIfAborted();
    throw new CliError(`${program} can’t be run`, {
      hint: 'docker’s config file names it as credsStore or in credHelpers',
      cause,
    });
  }
}

function failure(helper: string, verb: string, code: number | null): CliError {
  return new CliError(`docker-credential-${helper} ${verb} failed (exit code ${String(code)})`);
}
