import { ImageConfig } from '@teu/proto/image';
import { parseDigest } from './digest.js';
import { LAYER_COUNT_MAX } from './manifest.js';
import { invalid, isObject, member, parseDocument, type JsonObject } from './strict-json.js';

/** What the configuration of an image says (image-spec, config.md). All of it is data, none of it is trusted. */
export interface ImageConfigDocument {
  os: string;
  architecture: string;
  /** Of the architecture; empty where it does not say. */
  variant: string;
  createTime?: Date;
  diffIds: string[];
  config: ImageConfig;
}

export const HISTORY_COUNT_MAX = 2048;
const LIST_LENGTH_MAX = 4096;

/** @throws IMAGE_INVALID naming the member that is wrong */
export function parseImageConfig(bytes: Uint8Array): ImageConfigDocument {
  const document = parseDocument(bytes, 'the config');
  const rootfs = member(document, 'rootfs');
  if (!isObject(rootfs) || member(rootfs, 'type') !== 'layers') {
    throw invalid('the config', 'has no rootfs of layers');
  }
  const diffIds = member(rootfs, 'diff_ids');
  if (!Array.isArray(diffIds)) throw invalid('the config', 'has no list of diff_ids');
  if (diffIds.length > LAYER_COUNT_MAX) {
    throw invalid('the config', `has more than ${LAYER_COUNT_MAX} layers`);
  }
  const history = member(document, 'history');
  if (Array.isArray(history) && history.length > HISTORY_COUNT_MAX) {
    throw invalid('the config', `has more than ${HISTORY_COUNT_MAX} entries of history`);
  }
  const createTime = parseTime(member(document, 'created'));
  return {
    os: text(document, 'os'),
    architecture: text(document, 'architecture'),
    variant: text(document, 'variant'),
    ...(createTime === undefined ? {} : { createTime }),
    diffIds: diffIds.map((id, index) => parseDigest(id, `diff_ids[${index}] of the config`)),
    config: parseRunConfig(member(document, 'config')),
  };
}

function parseRunConfig(value: unknown): ImageConfig {
  if (value === undefined) return ImageConfig.create({});
  if (!isObject(value)) throw invalid('the config', 'has a malformed member "config"');
  return ImageConfig.create({
    user: text(value, 'User'),
    env: texts(value, 'Env'),
    entrypoint: texts(value, 'Entrypoint'),
    cmd: texts(value, 'Cmd'),
    workingDir: text(value, 'WorkingDir'),
    stopSignal: text(value, 'StopSignal'),
    exposedPorts: keys(value, 'ExposedPorts'),
    volumes: keys(value, 'Volumes'),
    labels: labels(value),
  });
}

function text(object: JsonObject, name: string): string {
  const value = member(object, name) ?? '';
  if (typeof value !== 'string' || value.includes('\0')) {
    throw invalid('the config', `has a malformed "${name}"`);
  }
  return value;
}

function texts(object: JsonObject, name: string): string[] {
  const value = member(object, name) ?? [];
  // Very old images have a plain text where a list belongs.
  const list: unknown = typeof value === 'string' ? [value] : value;
  const fits =
    Array.isArray(list) &&
    list.length <= LIST_LENGTH_MAX &&
    list.every((item) => typeof item === 'string' && !item.includes('\0'));
  if (!fits) throw invalid('the config', `has a malformed "${name}"`);
  return list as string[];
}

function keys(object: JsonObject, name: string): string[] {
  const value = member(object, name) ?? {};
  if (!isObject(value)) throw invalid('the config', `has a malformed "${name}"`);
  const names = Object.keys(value);
  if (names.length > LIST_LENGTH_MAX) throw invalid('the config', `has too many "${name}"`);
  return names.sort();
}

/** Labels are kept as they are; what the engine itself remembers of an image lies elsewhere and not under any label. */
function labels(object: JsonObject): Record<string, string> {
  const value = member(object, 'Labels') ?? {};
  if (!isObject(value) || Object.keys(value).length > LIST_LENGTH_MAX) {
    throw invalid('the config', 'has malformed "Labels"');
  }
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, String(item)]));
}

function parseTime(value: unknown): Date | undefined {
  if (typeof value !== 'string') return undefined;
  const time = new Date(value);
  return Number.isNaN(time.getTime()) ? undefined : time;
}
