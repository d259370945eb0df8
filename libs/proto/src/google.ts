export * from './gen/google/protobuf/any.js';
export * from './gen/google/protobuf/duration.js';
export * from './gen/google/protobuf/timestamp.js';
export * from './gen/google/protobuf/empty.js';
export * from './gen/google/protobuf/field_mask.js';
export * from './gen/google/rpc/status.js';
export * from './gen/google/rpc/error_details.js';
