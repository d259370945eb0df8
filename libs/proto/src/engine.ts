export * from './gen/teu/engine/v1/base_service.js';
export * from './gen/teu/engine/v1/container.js';
export * from './gen/teu/engine/v1/container_tree_service.js';
export * from './gen/teu/engine/v1/driver_registry_service.js';
export * from './gen/teu/engine/v1/engine_service.js';
