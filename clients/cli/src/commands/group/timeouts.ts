/** The service itself gives a process that does not die ten seconds. */
export const forceTimeoutMs = 30_000;
