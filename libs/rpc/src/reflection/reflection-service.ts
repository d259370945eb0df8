import { isTeuError, STATUS_CODES } from '@teu/errors';
import {
  type ServerReflectionRequest,
  ServerReflectionResponse,
  ServerReflectionService,
} from '@teu/proto/grpc';
import { implement, type Implementation } from '../implement.js';
import type { DescriptorIndex } from './descriptor-index.js';
import { loadDescriptors } from './load-descriptors.js';

type Answer = NonNullable<ServerReflectionResponse['messageResponse']>;

const METHOD = 'ServerReflectionInfo';
const ALPHA_SERVICE = 'grpc.reflection.v1alpha.ServerReflection';

// The two versions differ in the package name only; older clients know just the first.
const alphaDefinition = {
  serverReflectionInfo: {
    ...ServerReflectionService.serverReflectionInfo,
    path: `/${ALPHA_SERVICE}/${METHOD}`,
  },
} as const;

/** grpc.reflection v1 and v1alpha. `serviceNames` are listed; whatever they use is found. */
export function reflectionServices(serviceNames: readonly string[]): Implementation[] {
  async function* serve(
    requests: AsyncIterable<ServerReflectionRequest>,
  ): AsyncGenerator<ServerReflectionResponse> {
    const sent = new Set<string>();
    for await (const request of requests) {
      yield ServerReflectionResponse.create({
        validHost: request.host,
        originalRequest: request,
        messageResponse: answer(request, serviceNames, sent),
      });
    }
  }
  return [
    implement(ServerReflectionService, { serverReflectionInfo: serve }),
    implement(alphaDefinition, { serverReflectionInfo: serve }),
  ];
}

function answer(
  request: ServerReflectionRequest,
  serviceNames: readonly string[],
  sent: Set<string>,
): Answer {
  const question = request.messageRequest;
  try {
    switch (question?.$case) {
      case 'listServices':
        return {
          $case: 'listServicesResponse',
          value: { service: serviceNames.map((name) => ({ name })) },
        };
      case 'fileByFilename':
        return files(loadDescriptors(), question.value, sent);
      case 'fileContainingSymbol': {
        const index = loadDescriptors();
        return files(index, index.fileOfSymbol.get(question.value), sent);
      }
      case 'fileContainingExtension':
      case 'allExtensionNumbersOfType':
        // None of the contracts has extensions.
        return failure(STATUS_CODES.NOT_FOUND, 'no such extension');
      case undefined:
        return failure(STATUS_CODES.INVALID_ARGUMENT, 'the request asks nothing');
    }
  } catch (error) {
    if (!isTeuError(error)) throw error;
    return failure(STATUS_CODES[error.status], error.message);
  }
}

/** The file and what it imports, as far as this call has not sent it yet. */
function files(index: DescriptorIndex, name: string | undefined, sent: Set<string>): Answer {
  if (name === undefined || !index.files.has(name)) {
    return failure(STATUS_CODES.NOT_FOUND, 'no such file or symbol');
  }
  const descriptors: Buffer[] = [];
  const queue = [name];
  // A file that is asked for by name is sent again; its imports are not.
  sent.delete(name);
  for (let next = queue.shift(); next !== undefined; next = queue.shift()) {
    const file = index.files.get(next);
    if (file === undefined || sent.has(next)) continue;
    sent.add(next);
    descriptors.push(Buffer.from(file.bytes));
    queue.push(...file.dependencies);
  }
  return {
    $case: 'fileDescriptorResponse',
    value: { fileDescriptorProto: descriptors },
  };
}

function failure(errorCode: number, errorMessage: string): Answer {
  return { $case: 'errorResponse', value: { errorCode, errorMessage } };
}
