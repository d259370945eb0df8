import { isIP } from 'node:net';

/**
 * Whether a registry may send us, with credentials, to a token service: it is on the same host; or the one is below the
 * other's domain or its parent, as auth.docker.io and registry-1.docker.io; or it is among those that are configured.
 * Never from TLS to plain HTTP.
 */
export function isTrustedRealm(
  realm: URL,
  registry: URL,
  trustedHosts: readonly string[],
): boolean {
  if (realm.username !== '' || realm.password !== '') return false;
  if (realm.protocol !== 'https:' && realm.protocol !== registry.protocol) return false;
  if (trustedHosts.includes(realm.host)) return true;
  const [own, other] = [registry.hostname, realm.hostname];
  if (own === other) return true;
  if (isAddress(own) || isAddress(other)) return false;
  if (other.endsWith(`.${own}`)) return true;
  const parent = own.slice(own.indexOf('.') + 1);
  return !isSharedSuffix(parent) && (other === parent || other.endsWith(`.${parent}`));
}

function isAddress(hostname: string): boolean {
  return isIP(hostname.replace(/^\[|\]$/g, '')) !== 0;
}

/**
 * Whether anybody may have names below this domain: "com", and "co.uk" with all that looks like it. A domain that is
 * taken for one wrongly costs a line of configuration.
 */
function isSharedSuffix(domain: string): boolean {
  const labels = domain.split('.');
  if (labels.length < 2) return true;
  const [second = '', first = ''] = labels.slice(-2);
  return labels.length === 2 && first.length === 2 && second.length <= 3;
}
