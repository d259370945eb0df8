export * from './gen/teu/executor/v1/spec.js';
export * from './gen/teu/executor/v1/executor_service.js';
