export * from './gen/teu/type/v1/oom.js';
export * from './gen/teu/type/v1/resources.js';
