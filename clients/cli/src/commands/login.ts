import { DistributionServiceService } from '@teu/proto/image';
import { CliError, UsageError } from '../cli-error.js';
import type { Command, Invocation } from '../command.js';
import { dockerConfigPath, registryOfServer } from '../registry/docker-config.js';
import { keepLogin, knownUser } from '../registry/logins.js';
import { Prompt } from '../registry/prompt.js';

const secretBytesMax = 64 * 1024;

async function readSecret({ context }: Invocation): Promise<string> {
  const pieces: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of context.stdin.read()) {
    pieces.push(chunk);
    size += chunk.length;
    if (size > secretBytesMax) throw new CliError('the password on standard input is too long');
  }
  return Buffer.concat(pieces)
    .toString('utf8')
    .replace(/\r?\n$/, '');
}

async function userAndPassword(invocation: Invocation, registry: string) {
  const { context, options } = invocation;
  const fromInput = options.flag('password-stdin');
  let user = options.value('username');
  let password = options.value('password');
  if (fromInput && password !== undefined) {
    throw new UsageError('--password and --password-stdin exclude each other');
  }
  if (fromInput && user === undefined) throw new UsageError('--password-stdin needs --username');
  if (password !== undefined) {
    await context.stderr.write(
      'WARNING! Using --password via the CLI is insecure. Use --password-stdin.\n',
    );
  }
  if (fromInput) password = await readSecret(invocation);
  if (user === undefined || password === undefined) {
    if (!context.stdin.isTerminal) {
      throw new CliError('there is no terminal on which to ask for the password', {
        hint: 'give it on standard input: teu login -u USER --password-stdin',
      });
    }
    const prompt = new Prompt(context);
    if (user === undefined) {
      const known = await knownUser(context, registry);
      const hint = known === undefined ? '' : ` (${known})`;
      user = await prompt.ask(`Username${hint}: `, { isSecret: false });
      if (user === '') user = known ?? '';
    }
    password ??= await prompt.ask('Password: ', { isSecret: true });
  }
  if (user === '' || password === '') throw new CliError('user name and password are needed');
  return { user, password };
}

export const login: Command = {
  name: 'login',
  group: 'images',
  summary: 'Log in to a registry',
  usage: '[SERVER]',
  options: [
    { name: 'username', short: 'u', kind: 'value', value: 'NAME', doc: 'user name' },
    {
      ...{ name: 'password', short: 'p', kind: 'value', value: 'TEXT' },
      doc: 'password or access token; others on this machine can see it',
    },
    { name: 'password-stdin', kind: 'flag', doc: 'take the password from standard input' },
  ],
  arguments: { min: 0, max: 1 },
  completes: 'nothing',
  examples: [
    { command: 'teu login registry.example.com', meaning: 'asks for name and password' },
    { command: 'teu login -u me --password-stdin < token', meaning: 'at Docker Hub, in a script' },
  ],
  async run(invocation) {
    const { context, args } = invocation;
    const registry = registryOfServer(args[0] ?? 'docker.io');
    const { user, password } = await userAndPassword(invocation, registry);
    const secret = { $case: 'userPassword' as const, value: { user, password } };
    const { identityToken } = await context.services.image.unary(
      DistributionServiceService.checkCredentials,
      { credentials: { registry, secret } },
      { signal: context.abort },
    );
    const place = await keepLogin(context, registry, user, password, identityToken);
    if (place === 'file') {
      await context.stderr.write(
        `The login is kept unencrypted in ${dockerConfigPath(context)}; a credential helper keeps it safer.\n`,
      );
    }
    await context.stdout.write('Login Succeeded\n');
    return 0;
  },
};
