export * from './gen/teu/type/v1/resources.js';
