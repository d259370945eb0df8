import { BlockList, isIP } from 'node:net';
import { kindOfAddress } from './address-kind.js';

/** Tells which proxy leads to a place; undefined where none does. */
export type ProxyOf = (url: URL) => string | undefined;

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * Reads HTTP_PROXY, HTTPS_PROXY and NO_PROXY, in capitals or not, as docker and Go do: a proxy for each scheme; no
 * proxy for this machine itself, nor for what the list names: `*`, an address, a network as `10.0.0.0/8`, a host with
 * all below it, a host with its port.
 */
export function proxyFromEnvironment(environment: Environment): ProxyOf {
  const of = (name: string): string => environment[name] ?? environment[name.toLowerCase()] ?? '';
  const proxies = { 'http:': of('HTTP_PROXY'), 'https:': of('HTTPS_PROXY') };
  const exceptions = of('NO_PROXY')
    .split(',')
    .map((item) => item.trim().toLowerCase())
    .filter((item) => item !== '');
  return (url) => {
    const proxy = proxies[url.protocol as keyof typeof proxies];
    if (!proxy || isThisMachine(url) || exceptions.some((item) => isMeant(item, url)))
      return undefined;
    return proxy.includes('://') ? proxy : `http://${proxy}`;
  };
}

function isThisMachine(url: URL): boolean {
  const host = hostOf(url);
  return host === 'localhost' || (isIP(host) !== 0 && kindOfAddress(host) === 'loopback');
}

function isMeant(item: string, url: URL): boolean {
  const host = hostOf(url);
  if (item === '*') return true;
  if (item.includes('/')) return isIP(host) !== 0 && isInNetwork(host, item);
  if (isIP(item) !== 0) return host === item;
  const [, name = '', port] = /^(.*?)(?::(\d+))?$/.exec(item) ?? [];
  const given = url.port || (url.protocol === 'https:' ? '443' : '80');
  if (port !== undefined && port !== given) return false;
  const plain = name.replace(/^\*?\./, '');
  return host === plain || host.endsWith(`.${plain}`);
}

function isInNetwork(host: string, network: string): boolean {
  const [base = '', length = ''] = network.split('/');
  const family = isIP(base) === 6 ? 'ipv6' : 'ipv4';
  const list = new BlockList();
  try {
    list.addSubnet(base, Number(length), family);
  } catch {
    return false;
  }
  return list.check(host, isIP(host) === 6 ? 'ipv6' : 'ipv4');
}

function hostOf(url: URL): string {
  return url.hostname.replace(/^\[|\]$/g, '').toLowerCase();
}
