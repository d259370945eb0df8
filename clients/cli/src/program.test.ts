import { expect, test } from 'vitest';
import { commands } from './command-table.js';
import { candidates } from './commands/complete.js';
import { runProgram } from './program.js';
import { fakeContext } from './testing/fake-context.js';

async function teu(...args: string[]) {
  const fake = fakeContext({ args });
  const code = await runProgram(fake.context);
  return { code, stdout: fake.stdout(), stderr: fake.stderr() };
}

test('without a command the help is shown, with all commands', async () => {
  const { code, stdout } = await teu();
  expect(code).toBe(0);
  for (const { name, hidden } of commands) {
    if (!hidden) expect(stdout).toMatch(new RegExp(`^  ${name} `, 'm'));
  }
  expect((await teu('--help')).stdout).toBe(stdout);
});

test('every command has help with its options', async () => {
  for (const command of commands.flatMap((item) => [item, ...(item.subcommands ?? [])])) {
    const { code, stdout } = await teu(...command.name.split(' '), '--help');
    expect(code).toBe(0);
    expect(stdout).toContain(`Usage: teu ${command.name}`);
    for (const { name } of command.options) expect(stdout).toContain(`--${name}`);
    expect((await teu('help', ...command.name.split(' '))).stdout).toBe(stdout);
  }
});

/** Why a command has no --format. */
const WITHOUT_FORMAT: Readonly<Record<string, string>> = {
  up: 'says how it comes up',
  down: 'says what it ends',
  completion: 'is read by a shell',
  complete: 'is read by a shell',
  run: 'has the output of a program, or an id alone',
  create: 'has an id alone',
  exec: 'has the output of a program',
  attach: 'has the output of a program',
  logs: 'has the output of a program',
  login: 'asks, and says nothing else',
  logout: 'says what it forgot',
  tag: 'says nothing',
  'image tag': 'says nothing',
  'driver serve': 'runs until it is ended',
};

test('every command speaks JSON, or has a reason not to', () => {
  const all = commands.flatMap((item) => item.subcommands ?? [item]);
  const without = all.filter(({ options }) => !options.some(({ name }) => name === 'format'));
  expect(without.map(({ name }) => name).sort()).toEqual(Object.keys(WITHOUT_FORMAT).sort());
});

test('a command of commands says which there are, alone and when it is asked for another', async () => {
  const alone = await teu('driver');
  expect(alone.code).toBe(0);
  expect(alone.stdout).toMatch(/^ {2}driver ls .*storage drivers/m);
  const wrong = await teu('driver', 'chekc');
  expect(wrong.code).toBe(1);
  expect(wrong.stderr).toBe(
    'teu: there is no command "driver chekc"\n     did you mean: teu driver check\n',
  );
  expect((await teu('driver', 'bogus')).stderr).toContain('all commands: teu help driver\n');
});

test('a command that isn’t there is refused with the nearest one', async () => {
  const { code, stderr } = await teu('rnu');
  expect(code).toBe(1);
  expect(stderr).toBe('teu: there is no command "rnu"\n     did you mean: teu run\n');
});

test('arguments are counted before anything is asked of the engine', async () => {
  expect(await teu('run')).toMatchObject({ code: 1, stdout: '' });
  expect((await teu('run')).stderr).toContain('IMAGE [COMMAND]');
  expect((await teu('ps', 'web')).stderr).toContain('"web" is too much');
  expect((await teu('tag', 'one')).stderr).toContain('needs 2 arguments');
});

test('without an engine the way to start it is told, with docker’s exit codes', async () => {
  const run = await teu('run', 'busybox', 'true');
  expect(run.code).toBe(125);
  expect(run.stderr).toContain('teu up --detach');
  expect((await teu('ps')).code).toBe(1);
  expect((await teu('stop', 'web')).code).toBe(1);
  expect(run.stderr).not.toContain('    at ');
});

test('wrong values are refused before anything is asked of the engine', async () => {
  for (const [option, value] of [
    ['--memory', 'lots'],
    ['--cpus', '-1'],
    ['--network', 'bridge'],
    ['--pids-limit', '1.5'],
    ['--memory-swap', '64m'],
  ] as const) {
    const { code, stderr } = await teu('run', option, value, 'busybox', 'true');
    expect(code, option).toBe(125);
    expect(stderr, option).toContain(option);
  }
});

test('words are completed without an engine where none is needed', async () => {
  const { context } = fakeContext({});
  expect(await candidates(context, ['r'])).toContain('run');
  expect(await candidates(context, [''])).not.toContain('complete');
  expect(await candidates(context, ['run', '--'])).toContain('--memory');
  expect(await candidates(context, ['run', '--network', ''])).toEqual(['none', 'host']);
  expect(await candidates(context, ['run', 'busybox', ''])).toEqual([':files']);
  expect(await candidates(context, ['completion', ''])).toEqual(['bash', 'zsh', 'fish']);
  expect(await candidates(context, ['driver', 'd'])).toEqual(
    expect.arrayContaining(['default', 'df']),
  );
  expect(await candidates(context, ['driver', 'ls', '--'])).toContain('--format');
  expect(await candidates(context, ['driver', 'serve', ''])).toContain('vfs');
  expect(await candidates(context, ['driver', 'serve', 'vfs', '--root', ''])).toEqual([':files']);
});

test('the scripts for shells are there', async () => {
  for (const shell of ['bash', 'zsh', 'fish']) {
    expect((await teu('completion', shell)).stdout).toContain('teu complete');
  }
  expect((await teu('completion', 'tcsh')).code).toBe(1);
});
