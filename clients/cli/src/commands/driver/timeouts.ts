/** Longest time for adding a driver or choosing another default: all that use drivers are told. */
export const changeTimeoutMs = 30_000;

/** Longest time for taking the layers of all images out of a driver. */
export const removeTimeoutMs = 10 * 60_000;

/** Longest time for adding up what a driver keeps; it has to look at every file. */
export const usageTimeoutMs = 10 * 60_000;
