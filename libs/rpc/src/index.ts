export {
  implement,
  type Handlers,
  type ImplementOptions,
  type Implementation,
} from './implement.js';
export { type CallContext, type CallMetadata, type PeerCredentials } from './call-context.js';
export { startRpcServer, type RpcServer, type RpcServerOptions } from './server.js';
export { runService, type RunningService, type ServiceProgram } from './run-service.js';
export {
  connect,
  RpcChannel,
  type CallOptions,
  type ConnectOptions,
  type UnaryOptions,
} from './channel.js';
export { checkHealth, type ServingStatus } from './check-health.js';
export { listenUnix, type UnixListener } from './unix-listener.js';
export { settleMemoryAtRest } from './settle-memory.js';
export { type TlsFiles } from './tls.js';
export { errorFromStatus, errorToStatus, type WireStatus } from './error-wire.js';
export {
  type BidiMethod,
  type ClientStreamMethod,
  type ServerStreamMethod,
  type ServiceDefinition,
  type UnaryMethod,
} from './method.js';
