import type * as Nats from 'nats';
import { ALL_EVENTS, STREAM_NAME } from './subjects.js';

const SECOND_NS = 1_000_000_000;
const MIB = 1024 * 1024;

/**
 * The stream in the terms of JetStream's API (times in ns). Bounded by age and size, the oldest
 * going first: NATS is for telling, the engine's own journal is what events are served from.
 * Takes the client's module, which is loaded late.
 */
export function streamConfig(nats: typeof Nats): Partial<Nats.StreamConfig> & { name: string } {
  return {
    name: STREAM_NAME,
    subjects: [ALL_EVENTS],
    retention: nats.RetentionPolicy.Limits,
    storage: nats.StorageType.File,
    discard: nats.DiscardPolicy.Old,
    max_age: 7 * 24 * 3600 * SECOND_NS,
    max_bytes: 256 * MIB,
    max_msg_size: MIB,
    num_replicas: 1,
    // How long the server remembers Nats-Msg-Id: retries within it are stored once.
    duplicate_window: 600 * SECOND_NS,
  };
}
