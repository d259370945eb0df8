import { ALL_EVENTS, STREAM_NAME } from './subjects.js';

const SECOND_NS = 1_000_000_000;
const MIB = 1024 * 1024;

/**
 * The stream in the terms of JetStream's API (times in ns). Bounded by age and size, the oldest
 * going first: NATS is for telling, the engine's own journal is what events are served from.
 */
export const STREAM_CONFIG = {
  name: STREAM_NAME,
  subjects: [ALL_EVENTS],
  retention: 'limits',
  storage: 'file',
  discard: 'old',
  max_age: 7 * 24 * 3600 * SECOND_NS,
  max_bytes: 256 * MIB,
  max_msg_size: 1 * MIB,
  num_replicas: 1,
  // How long the server remembers Nats-Msg-Id: retries within it are stored once.
  duplicate_window: 600 * SECOND_NS,
} as const;
