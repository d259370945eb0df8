import { posix } from 'node:path';
import { NetworkMode, type ContainerSpec } from '@teu/proto/engine';
import { LinuxResources } from '@teu/proto/type';
import type { ImageConfig } from '@teu/proto/image';
import { DEFAULT_STOP_SIGNAL, DEFAULT_STOP_TIMEOUT_MS } from './defaults.js';
import { durationFromMs } from './durations.js';
import { refuse, requireSignal, validateProcessText } from './spec-validation.js';

/** What of the engine's configuration goes into a spec. */
export interface SpecDefaults {
  /** Limit of tasks when none was asked for; -1 for none. */
  pidsLimit: number;
}

/**
 * Fills in what the client left open: from the image as docker does, then from the engine. An entrypoint of the
 * client's drops the image's cmd as well, since that was written for another program.
 * @throws INVALID_ARGUMENT if no program comes out, or if the image asks for what a client may not ask for either.
 */
export function fillInDefaults(
  spec: ContainerSpec,
  image: ImageConfig | undefined,
  defaults: SpecDefaults,
): ContainerSpec {
  if (image !== undefined) validateImageConfig(image);
  const ownEntrypoint = nonEmptyList(spec.entrypoint?.values);
  const entrypoint = spec.entrypoint === undefined ? (image?.entrypoint ?? []) : ownEntrypoint;
  const imageArgs = spec.entrypoint === undefined ? (image?.cmd ?? []) : [];
  const args = spec.args.length > 0 ? spec.args : imageArgs;
  if (entrypoint.length + args.length === 0) {
    refuse('spec.args', 'are empty, and the image names no program either');
  }
  return {
    ...spec,
    entrypoint: { values: entrypoint },
    args,
    env: mergeEnvironment(image?.env ?? [], spec.env),
    workingDir: spec.workingDir || imageWorkingDir(image),
    user: spec.user || (image?.user ?? ''),
    stopSignal: spec.stopSignal || image?.stopSignal || DEFAULT_STOP_SIGNAL,
    stopTimeoutDuration: spec.stopTimeoutDuration ?? durationFromMs(DEFAULT_STOP_TIMEOUT_MS),
    network: spec.network || NetworkMode.NETWORK_MODE_NONE,
    labels: { ...image?.labels, ...spec.labels },
    resources: withPidsLimit(spec.resources, defaults.pidsLimit),
  };
}

/**
 * Later entries win over earlier ones of the same name and keep the earlier one's place.
 * @param lists of "NAME=value".
 */
export function mergeEnvironment(...lists: (readonly string[])[]): string[] {
  const byName = new Map<string, string>();
  for (const entry of lists.flat()) byName.set(entry.slice(0, entry.indexOf('=')), entry);
  return [...byName.values()];
}

/** An entrypoint of one empty string is how docker's clients say "none". */
function nonEmptyList(values: string[] | undefined): string[] {
  return values === undefined || (values.length === 1 && values[0] === '') ? [] : values;
}

function imageWorkingDir(image: ImageConfig | undefined): string {
  return image?.workingDir ? posix.join('/', image.workingDir) : '/';
}

function withPidsLimit(
  resources: ContainerSpec['resources'],
  pidsLimit: number,
): ContainerSpec['resources'] {
  if (resources?.pids?.limit !== undefined || pidsLimit < 0) return resources;
  return { ...(resources ?? LinuxResources.create()), pids: { limit: pidsLimit } };
}

/** What an image says is untrusted like what a client says. */
function validateImageConfig(image: ImageConfig): void {
  const { cmd, entrypoint, env, user } = image;
  const args = [...entrypoint, ...cmd];
  validateProcessText('image.config', { args, env, user, workingDir: imageWorkingDir(image) });
  if (image.stopSignal !== '') requireSignal('image.config.stop_signal', image.stopSignal);
}
