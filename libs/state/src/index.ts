export { bootId } from './boot-id.js';
export {
  openEventJournal,
  type EventJournal,
  type FollowOptions,
  type JournalEntry,
} from './event-journal.js';
export type { Intent, Intents, NewIntent } from './intents.js';
export { openStore, type OpenStoreOptions } from './open-store.js';
export type { NewOutboxEvent, Outbox, OutboxEvent, OutboxOutcome } from './outbox.js';
export type { SqlRow, SqlValue, Statement } from './statements.js';
export type { Store, TransactionOptions } from './store.js';
