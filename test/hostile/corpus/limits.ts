/** Limits of the image service that the corpus is read by: small, so that what passes them is made quickly. */
export const MAX_LAYER_BYTES = 64 * 2 ** 20;
export const MAX_LAYER_ENTRIES = 5_000;

/** A row must be done by then, in milliseconds, on a machine that has nothing else to do. */
export const ROW_MS = 10_000;
/** What a worker may have in memory, in bytes. */
export const WORKER_BYTES = 96 * 2 ** 20;
/** What the service may have in memory more than before the row, in bytes. */
export const SERVICE_GROWTH_BYTES = 96 * 2 ** 20;
/** Characters of an error's message: more than that no client shows. */
export const MESSAGE_LENGTH = 4096;
