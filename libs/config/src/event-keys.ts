import { join } from 'node:path';
import type { ConfigKey } from './define-config.js';
import { path, string } from './parsers.js';

/** Where a service publishes its events, and as whom. */
export interface EventConfig {
  readonly natsUrl: string;
  readonly natsSeedFile: string;
}

/**
 * Keys of every service that publishes events.
 * @param user its name at NATS
 */
export function eventKeys(user: string): { [K in keyof EventConfig]: ConfigKey<EventConfig[K]> } {
  return {
    natsUrl: {
      env: 'TEU_NATS_URL',
      flag: '--nats-url',
      parse: string,
      default: 'nats://127.0.0.1:4222',
      doc: 'Where events are published',
    },
    natsSeedFile: {
      env: 'TEU_NATS_SEED_FILE',
      flag: '--nats-seed-file',
      parse: path,
      default: ({ dataDir }) => join(dataDir, 'nats', `${user}.nkey`),
      doc: 'File with the nkey seed of this service',
    },
  };
}
