import { createPrivateKey, randomUUID, sign, X509Certificate } from 'node:crypto';
import type { ServerResponse } from 'node:http';
import type { TestCertificate } from './make-certificate.js';
import { startStub, type SeenRequest, type StubRegistry } from './stub-registry.js';

/** Who is let in, and to what. */
export interface TokenServerOptions {
  certificate: TestCertificate;
  /** "user:password". */
  login: string;
  service: string;
  issuer: string;
  /** Actions that somebody without a login has. */
  anonymous: readonly string[];
}

/** A small token service (distribution, "Token Authentication Specification"); its tokens are signed. */
export function startTokenServer(options: TokenServerOptions): Promise<StubRegistry> {
  const expected = `Basic ${Buffer.from(options.login).toString('base64')}`;
  return startStub((request, response) => {
    const { authorization } = request;
    if (authorization !== undefined && authorization !== expected) {
      return response.writeHead(401).end('{"details":"incorrect username or password"}');
    }
    return answer(options, request, response, authorization !== undefined);
  });
}

function answer(
  options: TokenServerOptions,
  { url }: SeenRequest,
  response: ServerResponse,
  isKnown: boolean,
): unknown {
  const scopes = new URL(url, 'http://x').searchParams.getAll('scope');
  const access = scopes.map((scope) => {
    const [type = '', name = '', actions = ''] = scope.split(':');
    const granted = actions.split(',').filter((one) => isKnown || options.anonymous.includes(one));
    return { type, name, actions: granted };
  });
  const now = Math.floor(new Date().getTime() / 1000);
  const claims = {
    ...{ iss: options.issuer, sub: isKnown ? 'somebody' : '', aud: options.service, access },
    ...{ exp: now + 300, nbf: now - 10, iat: now, jti: randomUUID() },
  };
  response.writeHead(200, { 'content-type': 'application/json' });
  return response.end(JSON.stringify({ token: makeToken(options.certificate, claims) }));
}

/** A JSON web token (RFC 7519), signed with ES256, with its certificate in it. */
function makeToken({ certificate, key }: TestCertificate, claims: object): string {
  const x5c = [new X509Certificate(certificate).raw.toString('base64')];
  const parts = [{ typ: 'JWT', alg: 'ES256', x5c }, claims];
  const text = parts
    .map((part) => Buffer.from(JSON.stringify(part)).toString('base64url'))
    .join('.');
  const signature = sign('sha256', Buffer.from(text), {
    key: createPrivateKey(key),
    dsaEncoding: 'ieee-p1363',
  });
  return `${text}.${signature.toString('base64url')}`;
}
