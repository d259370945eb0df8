export * from './gen/teu/cgroup/v1/cgroup_service.js';
export * from './gen/teu/cgroup/v1/group_service.js';
export * from './gen/teu/cgroup/v1/run.js';
export * from './gen/teu/cgroup/v1/stats.js';
export * from './gen/teu/cgroup/v1/usage_service.js';
