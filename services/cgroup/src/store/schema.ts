/** Tables of the cgroup service; one entry per version of the schema. */
export const CGROUP_MIGRATIONS: readonly string[] = [];
