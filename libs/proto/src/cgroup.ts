export * from './gen/teu/cgroup/v1/cgroup_service.js';
