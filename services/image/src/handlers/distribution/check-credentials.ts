import { teuError } from '@teu/errors';
import type { CheckCredentialsRequest, CheckCredentialsResponse } from '@teu/proto/image';
import type { CallContext } from '@teu/rpc';
import type { ImageParts } from '../../operations/image-parts.js';
import { openClient } from '../../registry/open-client.js';
import { registryHost } from '../../registry/remote-reference.js';

export function checkCredentialsHandler({ registry: options }: Pick<ImageParts, 'registry'>) {
  return async (
    { credentials }: CheckCredentialsRequest,
    { signal }: CallContext,
  ): Promise<CheckCredentialsResponse> => {
    if (credentials === undefined) {
      throw teuError('INVALID_ARGUMENT', 'credentials are missing', {
        metadata: { field: 'credentials' },
      });
    }
    const registry = registryHost(credentials.registry, 'credentials.registry');
    const client = openClient(options, [{ ...credentials, registry }]);
    try {
      return { identityToken: await client.checkCredentials(registry, signal) };
    } finally {
      client.close();
    }
  };
}
