import { ContainerSpec, NetworkMode } from '@teu/proto/engine';
import { LinuxResources } from '@teu/proto/type';
import { UsageError } from '../cli-error.js';
import type { Invocation } from '../command.js';
import { collectEnvironment, parseLabels } from './environment.js';
import type { OptionSpec, ParsedOptions } from './parse-options.js';
import {
  cpuPeriodMicroseconds,
  parseBytes,
  parseBytesOrUnlimited,
  parseCpus,
  parseWholeNumber,
} from './quantities.js';
import { parseStorageOptions } from './storage-options.js';

const value = (name: string, placeholder: string, doc: string, short?: string): OptionSpec => ({
  name,
  kind: 'value',
  value: placeholder,
  doc,
  ...(short === undefined ? {} : { short }),
});
const list = (name: string, placeholder: string, doc: string, short?: string): OptionSpec => ({
  ...value(name, placeholder, doc, short),
  kind: 'list',
});
const flag = (name: string, doc: string, short?: string): OptionSpec => ({
  name,
  kind: 'flag',
  doc,
  ...(short === undefined ? {} : { short }),
});

/** Options that say what a container is; run and create share them. */
export const containerOptions: readonly OptionSpec[] = [
  value('name', 'NAME', 'name of the container'),
  list('env', 'NAME=VALUE', 'environment variable; without a value, the one here', 'e'),
  list('env-file', 'FILE', 'file of environment variables, one a line'),
  value('workdir', 'DIRECTORY', 'working directory in the container', 'w'),
  value('hostname', 'NAME', 'host name of the container', 'h'),
  value('user', 'USER[:GROUP]', 'user to run as, by name or id', 'u'),
  value('entrypoint', 'PROGRAM', 'program to run instead of the image’s'),
  list('label', 'NAME=VALUE', 'label of the container', 'l'),
  flag('interactive', 'keep standard input open', 'i'),
  flag('tty', 'give it a terminal', 't'),
  flag('rm', 'remove the container when it ends'),
  flag('read-only', 'make its root file system read-only'),
  {
    ...value('network', 'MODE', 'none: loopback only; host: the host’s network'),
    choices: ['none', 'host'],
  },
  value('memory', 'BYTES', 'most memory, for example 64m', 'm'),
  value('memory-swap', 'BYTES', 'most memory and swap together; -1 for no limit of swap'),
  value('memory-reservation', 'BYTES', 'memory it keeps under pressure'),
  value('cpus', 'NUMBER', 'most CPU time, for example 1.5'),
  value('cpu-shares', 'NUMBER', 'weight against other containers, usual is 1024', 'c'),
  value('pids-limit', 'NUMBER', 'most processes and threads; -1 for no limit'),
  value('stop-signal', 'SIGNAL', 'signal that asks it to stop'),
  value('stop-timeout', 'SECONDS', 'time it has to stop before it is killed'),
  {
    ...value('storage-driver', 'NAME', 'storage driver of its root file system'),
    completes: 'drivers',
  },
  list('storage-opt', 'size=SIZE', 'most that its root file system may hold beside the image'),
];

/** The container that the options and arguments of run or create ask for. */
export async function containerSpec(invocation: Invocation): Promise<ContainerSpec> {
  const { context, options, args } = invocation;
  const [image = '', ...programArgs] = args;
  if (image === '') throw new UsageError('the name of the image is empty');
  const entrypoint = options.value('entrypoint');
  const stopTimeout = options.value('stop-timeout');
  return ContainerSpec.create({
    image,
    name: options.value('name') ?? '',
    ...(entrypoint === undefined
      ? {}
      : { entrypoint: { values: entrypoint === '' ? [] : [entrypoint] } }),
    args: programArgs,
    env: await collectEnvironment(context, options.list('env-file'), options.list('env')),
    workingDir: options.value('workdir') ?? '',
    user: options.value('user') ?? '',
    hostname: options.value('hostname') ?? '',
    resources: resourcesOf(options),
    readOnly: options.flag('read-only'),
    network: networkOf(options.value('network')),
    labels: parseLabels(options.list('label')),
    terminal: options.flag('tty'),
    stdinOpen: options.flag('interactive'),
    stopSignal: options.value('stop-signal') ?? '',
    ...(stopTimeout === undefined
      ? {}
      : {
          stopTimeoutDuration: {
            seconds: parseWholeNumber(stopTimeout, '--stop-timeout', 0, 86_400),
            nanos: 0,
          },
        }),
    autoRemove: options.flag('rm'),
    driver: options.value('storage-driver') ?? '',
    rootSizeBytes: parseStorageOptions(options.list('storage-opt')),
  });
}

function networkOf(mode: string | undefined): NetworkMode {
  if (mode === 'host') return NetworkMode.NETWORK_MODE_HOST;
  if (mode === 'none') return NetworkMode.NETWORK_MODE_NONE;
  return NetworkMode.NETWORK_MODE_UNSPECIFIED;
}

function resourcesOf(options: ParsedOptions): LinuxResources {
  const number = <T>(name: string, parse: (text: string, option: string) => T): T | undefined => {
    const text = options.value(name);
    return text === undefined ? undefined : parse(text, `--${name}`);
  };
  const limit = number('memory', parseBytes);
  const swap = number('memory-swap', parseBytesOrUnlimited);
  if (swap !== undefined && limit === undefined) {
    throw new UsageError('--memory-swap needs --memory');
  }
  if (swap !== undefined && limit !== undefined && swap !== -1 && swap < limit) {
    throw new UsageError('--memory-swap counts memory and swap, so it can’t be below --memory');
  }
  const quota = number('cpus', parseCpus);
  const shares = number('cpu-shares', (text, option) => parseWholeNumber(text, option, 2, 262_144));
  const reservation = number('memory-reservation', parseBytes);
  const tasks = number('pids-limit', (text, option) =>
    parseWholeNumber(text, option, -1, 4_194_304),
  );
  const given = (...values: (number | undefined)[]) => values.some((item) => item !== undefined);
  return LinuxResources.create({
    cpu: given(shares, quota)
      ? {
          cpus: '',
          mems: '',
          shares,
          quota,
          period: quota === undefined ? undefined : cpuPeriodMicroseconds,
        }
      : undefined,
    memory: given(limit, swap, reservation) ? { limit, swap, reservation } : undefined,
    pids: given(tasks) ? { limit: tasks } : undefined,
  });
}
