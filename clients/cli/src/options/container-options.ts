import { ContainerSpec, NetworkMode } from '@teu/proto/engine';
import { UsageError } from '../cli-error.js';
import type { Invocation } from '../command.js';
import { parseDeviceMapping } from './device-mapping.js';
import { collectEnvironment, parseLabels } from './environment.js';
import { flag, list, value } from './option-specs.js';
import type { OptionSpec, ParsedOptions } from './parse-options.js';
import { parseWholeNumber } from './quantities.js';
import { checkNewLimits, resourceOptions, resourcesOf } from './resource-options.js';
import { parseStorageOptions } from './storage-options.js';

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
  {
    ...value('group', 'GROUP', 'group of containers that it shares limits with'),
    completes: 'groups',
  },
  { ...value('cgroup-parent', 'GROUP', 'docker’s word for --group'), completes: 'groups' },
  ...resourceOptions,
  value('oom-score-adj', 'NUMBER', 'score of the OOM killer, -1000 to 1000'),
  list('device', 'HOST[:CONTAINER[:ACCESS]]', 'device node of the host that it gets'),
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
  const score = options.value('oom-score-adj');
  const resources = await resourcesOf(invocation);
  checkNewLimits(resources);
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
    resources,
    group: groupOf(options),
    ...(score === undefined
      ? {}
      : { oomScoreAdj: parseWholeNumber(score, '--oom-score-adj', -1000, 1000) }),
    devices: options.list('device').map(parseDeviceMapping),
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

function groupOf(options: ParsedOptions): string {
  const [ours, dockers] = [options.value('group'), options.value('cgroup-parent')];
  if (ours !== undefined && dockers !== undefined && ours !== dockers) {
    throw new UsageError('--group and --cgroup-parent are the same, and name two groups');
  }
  return ours ?? dockers ?? '';
}

function networkOf(mode: string | undefined): NetworkMode {
  if (mode === 'host') return NetworkMode.NETWORK_MODE_HOST;
  if (mode === 'none') return NetworkMode.NETWORK_MODE_NONE;
  return NetworkMode.NETWORK_MODE_UNSPECIFIED;
}
