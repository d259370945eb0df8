/** Longest time for a start; unpacking a big image for the first time is part of it. */
export const startTimeoutMs = 120_000;

/** Longest time for a call that waits for a container's end; a container may run for days. */
export const waitTimeoutMs = 24 * 24 * 3600 * 1000;

/** Time that an answer may take beyond the time that the caller gave the container to stop. */
export const stopMarginMs = 30_000;
