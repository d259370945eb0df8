import process from 'node:process';
import { isTeuError, teuError } from '@teu/errors';
import {
  commonKeys,
  type CommonConfig,
  type ConfigDefinition,
  type ConfigKey,
} from './define-config.js';
import { readFlags } from './flags.js';
import { unknownVariable } from './known-variables.js';

export interface ConfigSources {
  env: Readonly<Record<string, string | undefined>>;
  /** Arguments after the program's name. */
  argv: readonly string[];
}

/** Thrown instead of returning a configuration: the caller asked for text. Print it and end with 0. */
export class ConfigOutput extends Error {
  override readonly name = 'ConfigOutput';
}

/**
 * Defaults, then environment, then flags. `--print-config` and `--help` throw a ConfigOutput.
 * @throws INVALID_ARGUMENT naming the variable or flag: unknown, malformed or missing.
 */
export function loadConfig<T extends object>(
  definition: ConfigDefinition<T>,
  sources: ConfigSources,
): T & CommonConfig {
  const keys: Record<string, ConfigKey<unknown>> = { ...commonKeys, ...definition.keys };
  const flags = readFlags(keys, sources.argv);
  if (flags.help) throw new ConfigOutput(describeKeys(keys));

  const variable = unknownVariable(keys, sources.env);
  if (variable !== undefined) throw refuse(variable, 'is not a variable of this service');

  const common: Record<string, unknown> = {};
  for (const [name, key] of Object.entries(commonKeys)) {
    common[name] = valueOf(name, key, sources.env, flags.values, {});
  }
  if (common['runDir'] === common['dataDir']) {
    throw refuse('TEU_RUN_DIR', 'must not be TEU_DATA_DIR: one is volatile, the other durable');
  }
  const config: Record<string, unknown> = {};
  for (const [name, key] of Object.entries(keys)) {
    config[name] = valueOf(name, key, sources.env, flags.values, common);
  }
  if (flags.printConfig) throw new ConfigOutput(printable(keys, config));
  return config as T & CommonConfig;
}

/** loadConfig from this process's environment and arguments. */
export function loadProcessConfig<T extends object>(
  definition: ConfigDefinition<T>,
): T & CommonConfig {
  return loadConfig(definition, { env: process.env, argv: process.argv.slice(2) });
}

function valueOf(
  name: string,
  key: ConfigKey<unknown>,
  env: ConfigSources['env'],
  flags: ReadonlyMap<string, string>,
  common: object,
): unknown {
  const flagText = key.flag === undefined ? undefined : flags.get(key.flag);
  if (key.flag !== undefined && flagText !== undefined) return parse(key, key.flag, flagText);
  const envText = key.env === undefined ? undefined : env[key.env];
  if (key.env !== undefined && envText !== undefined && envText !== '') {
    return parse(key, key.env, envText);
  }
  if (!('default' in key)) throw refuse(key.env ?? key.flag ?? name, 'is required');
  return typeof key.default === 'function'
    ? (key.default as (c: object) => unknown)(common)
    : key.default;
}

function parse(key: ConfigKey<unknown>, source: string, text: string): unknown {
  try {
    return key.parse(text);
  } catch (error) {
    if (isTeuError(error)) throw error;
    // A parser's message is written for people and holds nothing of the value.
    throw refuse(source, error instanceof Error ? error.message : 'is malformed', error);
  }
}

function refuse(source: string, what: string, cause?: unknown): Error {
  return teuError('INVALID_ARGUMENT', `${source}: ${what}`, {
    metadata: { setting: source },
    ...(cause === undefined ? {} : { cause }),
  });
}

function printable(keys: Record<string, ConfigKey<unknown>>, config: object): string {
  const shown = Object.entries(config).map(([name, value]): [string, unknown] => [
    name,
    keys[name]?.secret === true && value !== undefined ? '***' : value,
  ]);
  return `${JSON.stringify(Object.fromEntries(shown), null, 2)}\n`;
}

function describeKeys(keys: Record<string, ConfigKey<unknown>>): string {
  const lines = Object.values(keys).map((key) => {
    const fallback = typeof key.default === 'function' ? '(derived)' : String(key.default);
    const sources = [key.flag, key.env].filter((source) => source !== undefined).join(', ');
    return `  ${sources}\n      ${key.doc}${'default' in key ? `; default ${fallback}` : '; required'}`;
  });
  return `${lines.join('\n')}\n  --print-config\n      Print the effective configuration and end\n`;
}
