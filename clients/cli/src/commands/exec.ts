import { EngineServiceService, type ExecContainerRequest } from '@teu/proto/engine';
import { consoleSize } from '../attachment/attached-input.js';
import { execAttached } from '../attachment/exec-attached.js';
import type { Command } from '../command.js';
import { collectEnvironment } from '../options/environment.js';
import { startTimeoutMs } from './timeouts.js';

export const exec: Command = {
  name: 'exec',
  group: 'containers',
  summary: 'Run another program in a running container',
  usage: 'CONTAINER COMMAND [ARGUMENT...]',
  options: [
    { name: 'detach', short: 'd', kind: 'flag', doc: 'leave it running and print its id' },
    { name: 'interactive', short: 'i', kind: 'flag', doc: 'pass standard input on' },
    { name: 'tty', short: 't', kind: 'flag', doc: 'give it a terminal' },
    {
      ...{ name: 'env', short: 'e', kind: 'list', value: 'NAME=VALUE' },
      doc: 'environment variable; without a value, the one here',
    },
    { name: 'env-file', kind: 'list', value: 'FILE', doc: 'file of environment variables' },
    { name: 'workdir', short: 'w', kind: 'value', value: 'DIRECTORY', doc: 'working directory' },
    { name: 'user', short: 'u', kind: 'value', value: 'USER[:GROUP]', doc: 'user to run as' },
  ],
  arguments: { min: 2 },
  optionsFirst: true,
  completes: 'running',
  examples: [
    { command: 'teu exec -it web sh', meaning: 'look around in it' },
    { command: 'teu exec web cat /etc/hostname', meaning: 'one program, its output and exit code' },
  ],
  async run(invocation) {
    const { context, options, args } = invocation;
    const [container = '', ...programArgs] = args;
    const terminal = options.flag('tty');
    const size = terminal ? context.terminal.size() : undefined;
    const request: ExecContainerRequest = {
      container,
      wait: false,
      spec: {
        args: programArgs,
        env: await collectEnvironment(context, options.list('env-file'), options.list('env')),
        workingDir: options.value('workdir') ?? '',
        user: options.value('user') ?? '',
        terminal,
        consoleSize: size === undefined ? undefined : consoleSize(size),
        stdinOpen: options.flag('interactive'),
      },
    };
    if (!options.flag('detach')) return execAttached(context, request);
    const { execId } = await context.services.engine.unary(
      EngineServiceService.execContainer,
      request,
      { timeoutMs: startTimeoutMs, signal: context.abort },
    );
    await context.stdout.write(`${execId}\n`);
    return 0;
  },
};
