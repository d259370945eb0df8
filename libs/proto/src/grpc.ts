export * from './gen/grpc/health/v1/health.js';
export * from './gen/grpc/reflection/v1/reflection.js';
