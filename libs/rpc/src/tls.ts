import { readFileSync } from 'node:fs';
import { credentials, ServerCredentials, type ChannelCredentials } from '@grpc/grpc-js';
import { teuError } from '@teu/errors';

/** Files in PEM form. Both ends show a certificate that the authority signed; there is no one-sided TLS. */
export interface TlsFiles {
  certFile: string;
  keyFile: string;
  caFile: string;
}

/** @throws INVALID_ARGUMENT if a file cannot be read. */
export function serverTls(files: TlsFiles): ServerCredentials {
  const { ca, cert, key } = read(files);
  return ServerCredentials.createSsl(ca, [{ cert_chain: cert, private_key: key }], true);
}

/** @throws INVALID_ARGUMENT if a file cannot be read. */
export function clientTls(files: TlsFiles): ChannelCredentials {
  const { ca, cert, key } = read(files);
  return credentials.createSsl(ca, key, cert);
}

function read(files: TlsFiles): { ca: Buffer; cert: Buffer; key: Buffer } {
  const file = (name: keyof TlsFiles): Buffer => {
    try {
      return readFileSync(files[name]);
    } catch (error) {
      throw teuError('INVALID_ARGUMENT', `the TLS setting ${name} names no readable file`, {
        cause: error,
      });
    }
  };
  return { ca: file('caFile'), cert: file('certFile'), key: file('keyFile') };
}
