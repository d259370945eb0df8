/** A method as ts-proto describes it for grpc-js. Bivariant in its types so that generated ones fit. */
interface Method<Req, Res, ReqStream extends boolean, ResStream extends boolean> {
  readonly path: string;
  readonly requestStream: ReqStream;
  readonly responseStream: ResStream;
  requestSerialize(value: Req): Buffer;
  requestDeserialize(bytes: Buffer): Req;
  responseSerialize(value: Res): Buffer;
  responseDeserialize(bytes: Buffer): Res;
}

export type UnaryMethod<Req, Res> = Method<Req, Res, false, false>;
export type ServerStreamMethod<Req, Res> = Method<Req, Res, false, true>;
export type ClientStreamMethod<Req, Res> = Method<Req, Res, true, false>;
export type BidiMethod<Req, Res> = Method<Req, Res, true, true>;
export type AnyMethod = Method<unknown, unknown, boolean, boolean>;

/** A generated `XService` object: methods by their lower camel case names. */
export type ServiceDefinition = Readonly<Record<string, AnyMethod>>;

/** `package.Service` of a method's path `/package.Service/Method`. */
export function serviceNameOf(path: string): string {
  return path.slice(1, path.lastIndexOf('/'));
}

/** `Method` of a method's path `/package.Service/Method`. */
export function methodNameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}
