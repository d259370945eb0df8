import { LOG_LEVELS, type LogLevel } from '@teu/log';
import { oneOf, path, type Parser } from './parsers.js';

/** One key of a configuration. */
export interface ConfigKey<T> {
  /** Environment variable, `TEU_…`. */
  env?: string;
  /** Flag, `--…`; given as `--flag value` or `--flag=value`. */
  flag?: string;
  parse: Parser<T>;
  /** Value when neither is given; a function gets what the common keys came to. Absent: required. */
  default?: NoInfer<T> | ((common: CommonConfig) => NoInfer<T>);
  /** What it means, for `--help` and the README. */
  doc: string;
  /** Shown as `***` by `--print-config`. */
  secret?: boolean;
}

/** Keys that every service has. */
export interface CommonConfig {
  /** Sockets and other volatile state; TEU_RUN_DIR. */
  runDir: string;
  /** Durable state; TEU_DATA_DIR. */
  dataDir: string;
  /** TEU_LOG_LEVEL. */
  logLevel: LogLevel;
}

export const commonKeys: { [K in keyof CommonConfig]: ConfigKey<CommonConfig[K]> } = {
  runDir: {
    env: 'TEU_RUN_DIR',
    flag: '--run-dir',
    parse: path,
    default: '/run/teu',
    doc: 'Directory of sockets and other volatile state',
  },
  dataDir: {
    env: 'TEU_DATA_DIR',
    flag: '--data-dir',
    parse: path,
    default: '/var/lib/teu',
    doc: 'Directory of durable state',
  },
  logLevel: {
    env: 'TEU_LOG_LEVEL',
    flag: '--log-level',
    parse: oneOf(...LOG_LEVELS),
    default: 'info',
    doc: 'Least severe level that is logged',
  },
};

/** Keys as declared, with the common ones. */
export interface ConfigDefinition<T extends object = object> {
  readonly keys: { readonly [K in keyof T]: ConfigKey<T[K]> };
}

/** What loading a definition gives. */
export type Config<D> = D extends ConfigDefinition<infer T> ? T & CommonConfig : never;

/** Declares the configuration of a service: one table, in its config.ts. Common keys come by themselves. */
export function defineConfig<T extends object>(keys: {
  [K in keyof T]: ConfigKey<T[K]>;
}): ConfigDefinition<T> {
  for (const key of Object.values<ConfigKey<unknown>>(keys)) {
    if (key.env !== undefined && !/^TEU_[A-Z0-9_]+$/.test(key.env)) {
      throw new Error(`${key.env} is not a TEU_ variable`);
    }
    if (key.flag !== undefined && !/^--[a-z][a-z0-9-]*$/.test(key.flag)) {
      throw new Error(`${key.flag} is not a flag`);
    }
  }
  return { keys };
}
