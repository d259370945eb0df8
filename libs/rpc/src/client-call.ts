import { status as Status, type Channel, type Metadata, type StatusObject } from '@grpc/grpc-js';
import { isTeuError, teuError, type TeuError } from '@teu/errors';
import { errorFromStatus, type CallNames } from './error-wire.js';
import { ResponseReader } from './response-reader.js';
import { sendRequests } from './send-requests.js';

/** A call of grpc-js below its streams: messages are asked for one by one, and errors are told once. */
export type ClientCall = ReturnType<Channel['createCall']>;

export interface CallStart {
  call: ClientCall;
  metadata: Metadata;
  signal: AbortSignal | undefined;
  names: CallNames;
}

type ResponseType<Res> = { responseDeserialize(bytes: Buffer): Res };
type RequestType<Req> = { requestSerialize(request: Req): Buffer };

/** Calls a method that answers once. */
export function callForOne<Req, Res>(
  start: CallStart,
  method: RequestType<Req> & ResponseType<Res>,
  request: Req | undefined,
  requests: AsyncIterable<Req> | undefined,
): Promise<Res> {
  return new Promise((resolve, reject) => {
    let answer: Buffer | undefined;
    let ownFailure: unknown;
    const end = begin(start, {
      onReceiveMetadata: ignore,
      onReceiveMessage: (bytes: Buffer) => {
        answer = bytes;
      },
      onReceiveStatus: (status: StatusObject) => {
        end.ended();
        if (ownFailure !== undefined) reject(asError(ownFailure));
        else if (!isOk(status)) reject(errorFromStatus(status, start.names));
        else if (answer === undefined) reject(noAnswer(start.names));
        else
          settle(() => method.responseDeserialize(answer as Buffer), start.names, resolve, reject);
      },
    });
    start.call.startRead();
    if (requests === undefined) {
      sendOne(start.call, method, request as Req, (error) => {
        ownFailure = error;
      });
    } else {
      sendRequests(start.call, requests, method, end.signal).catch((error: unknown) => {
        ownFailure = error;
        start.call.cancelWithStatus(Status.CANCELLED, 'no more requests');
      });
    }
  });
}

/** Calls a method that answers with a stream. */
export function callForStream<Req, Res>(
  start: CallStart,
  method: RequestType<Req> & ResponseType<Res>,
  request: Req | undefined,
  requests: AsyncIterable<Req> | undefined,
): AsyncIterableIterator<Res> {
  const reader = new ResponseReader<Res>(start.call, (bytes) => {
    try {
      return method.responseDeserialize(bytes);
    } catch (error) {
      throw malformedAnswer(start.names, error);
    }
  });
  const end = begin(start, {
    onReceiveMetadata: ignore,
    onReceiveMessage: (bytes: Buffer) => reader.push(bytes),
    onReceiveStatus: (status: StatusObject) => {
      end.ended();
      reader.end(isOk(status) ? undefined : errorFromStatus(status, start.names));
    },
  });
  if (requests === undefined) {
    sendOne(start.call, method, request as Req, (error) => reader.fail(error));
  } else {
    sendRequests(start.call, requests, method, end.signal).catch((error: unknown) => {
      reader.fail(error);
    });
  }
  return reader;
}

interface CallEnd {
  /** Aborted when the call is over. */
  readonly signal: AbortSignal;
  ended(): void;
}

function begin(start: CallStart, listener: Parameters<ClientCall['start']>[1]): CallEnd {
  const { call, signal } = start;
  let over: AbortController | undefined;
  let isOver = false;
  const cancel = (): void => call.cancelWithStatus(Status.CANCELLED, 'cancelled by the caller');
  call.start(start.metadata, listener);
  if (signal?.aborted === true) cancel();
  else signal?.addEventListener('abort', cancel, { once: true });
  return {
    get signal() {
      over ??= new AbortController();
      if (isOver) over.abort();
      return over.signal;
    },
    ended: () => {
      isOver = true;
      signal?.removeEventListener('abort', cancel);
      over?.abort();
    },
  };
}

function sendOne<Req>(
  call: ClientCall,
  method: RequestType<Req>,
  request: Req,
  onError: (error: unknown) => void,
): void {
  try {
    call.sendMessageWithContext({}, method.requestSerialize(request));
    call.halfClose();
  } catch (error) {
    onError(error);
    call.cancelWithStatus(Status.CANCELLED, 'the request cannot be serialised');
  }
}

function settle<Res>(
  decode: () => Res,
  names: CallNames,
  resolve: (response: Res) => void,
  reject: (error: Error) => void,
): void {
  let response: Res;
  try {
    response = decode();
  } catch (error) {
    reject(malformedAnswer(names, error));
    return;
  }
  resolve(response);
}

/** What a caller's own iterable threw stays what it was; everything that comes from a call is a TeuError. */
function asError(error: unknown): Error {
  if (isTeuError(error) || error instanceof Error) return error;
  return teuError('INTERNAL', 'sending the requests failed', { cause: error });
}

function noAnswer(names: CallNames): TeuError {
  return teuError('INTERNAL', `${names.service} ended ${names.method} well but without an answer`);
}

function malformedAnswer(names: CallNames, cause: unknown): TeuError {
  return teuError('INTERNAL', `the answer of ${names.service} to ${names.method} is malformed`, {
    cause,
  });
}

const isOk = (status: StatusObject): boolean => status.code === Status.OK;

const ignore = (): void => undefined;
