import { parseSignal } from '@teu/container-defaults';
import { teuError } from '@teu/errors';
import {
  parseContainerName,
  parseDriverName,
  parseGroupName,
  parseHostname,
  parseLabels,
  parseSingleLine,
} from '@teu/ids';
import { NetworkMode, type ContainerSpec } from '@teu/proto/engine';
import { msFromDuration } from './durations.js';
import { between, validateDevices, validateResources } from './resource-validation.js';

/**
 * Refuses what a client may not ask for. Values that end up in files of lines (host name, user, name) may hold
 * no control characters; arguments and environment only no NUL, as execve(2) can't carry one.
 * @throws INVALID_ARGUMENT or INVALID_ID naming the field.
 */
export function validateSpec(spec: ContainerSpec): void {
  if (spec.image === '') refuse('spec.image', 'names no image');
  parseSingleLine(spec.image, 'spec.image', 512);
  if (spec.name !== '') parseContainerName(spec.name, 'spec.name');
  // A name of this form could not be told from an id.
  if (/^[0-9a-f]{64}$/.test(spec.name)) refuse('spec.name', 'has the form of an id');
  validateProcessText('spec', spec);
  spec.entrypoint?.values.forEach((value, i) => requireNoNul(`spec.entrypoint[${i}]`, value));
  if (spec.hostname !== '') parseHostname(spec.hostname, 'spec.hostname');
  validateNetwork(spec.network);
  parseLabels(spec.labels, 'spec.labels');
  if (spec.stopSignal !== '') requireSignal('spec.stop_signal', spec.stopSignal);
  if ((msFromDuration(spec.stopTimeoutDuration) ?? 0) < 0) {
    refuse('spec.stop_timeout_duration', 'is negative');
  }
  if (spec.driver !== '') parseDriverName(spec.driver, 'spec.driver');
  if (spec.group !== '') parseGroupName(spec.group, 'spec.group');
  if (spec.rootSizeBytes < 0) refuse('spec.root_size_bytes', 'is negative');
  validateResources(spec.resources, 'spec.resources');
  validateDevices(spec.devices, 'spec.devices');
  between('spec.oom_score_adj', spec.oomScoreAdj, -1000, 1000);
}

/** What a container and an exec have in common. */
export function validateProcessText(
  prefix: string,
  text: { args: string[]; env: string[]; workingDir: string; user: string },
): void {
  text.args.forEach((value, i) => requireNoNul(`${prefix}.args[${i}]`, value));
  validateEnvironment(`${prefix}.env`, text.env);
  parseSingleLine(text.user, `${prefix}.user`);
  parseSingleLine(text.workingDir, `${prefix}.working_dir`);
  if (text.workingDir !== '' && !text.workingDir.startsWith('/')) {
    refuse(`${prefix}.working_dir`, 'is not an absolute path');
  }
}

/** @throws INVALID_ARGUMENT if it names no signal. */
export function requireSignal(field: string, text: string): number {
  const signal = parseSignal(text);
  if (signal === undefined)
    refuse(field, `is ${JSON.stringify(text.slice(0, 32))}, not the name or number of a signal`);
  return signal;
}

/** Refuses a field of a request. */
export function refuse(field: string, problem: string): never {
  throw teuError('INVALID_ARGUMENT', `${field} ${problem}`, { metadata: { field } });
}

/** Entries are "NAME=value" with a name; a line break in HOME would reach files like passwd. */
function validateEnvironment(field: string, env: readonly string[]): void {
  env.forEach((entry, i) => {
    requireNoNul(`${field}[${i}]`, entry);
    if (entry.indexOf('=') < 1) refuse(`${field}[${i}]`, 'is not of the form NAME=value');
    if (entry.startsWith('HOME=')) parseSingleLine(entry, `${field}[${i}]`);
  });
}

function validateNetwork(network: NetworkMode): void {
  const known: NetworkMode[] = [
    NetworkMode.NETWORK_MODE_UNSPECIFIED,
    NetworkMode.NETWORK_MODE_NONE,
    NetworkMode.NETWORK_MODE_HOST,
  ];
  if (!known.includes(network)) refuse('spec.network', `has the unknown value ${network}`);
}

function requireNoNul(field: string, value: string): void {
  if (value.includes('\0')) refuse(field, 'has a NUL character');
}
