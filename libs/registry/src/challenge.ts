/** How a registry wants to be asked (RFC 9110, 11.6.1). */
export type Challenge =
  { scheme: 'basic'; realm: string } | { scheme: 'bearer'; realm: string; service: string };

const LENGTH_MAX = 8192;
const PARAMETER = /^\s*,?\s*([A-Za-z][\w-]*)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]+))/;
const SCHEME = /^\s*,?\s*([A-Za-z][\w-]*)(?=\s|,|$)(?!\s*=)/;

/** The challenges of a WWW-Authenticate header that we can answer, in its order. */
export function parseChallenges(header: string): Challenge[] {
  const challenges: Challenge[] = [];
  let rest = header.slice(0, LENGTH_MAX);
  for (;;) {
    const scheme = SCHEME.exec(rest);
    if (scheme === null) return challenges;
    rest = rest.slice(scheme[0].length);
    const parameters = new Map<string, string>();
    for (let found = PARAMETER.exec(rest); found !== null; found = PARAMETER.exec(rest)) {
      const [text, name = '', quoted, bare] = found;
      parameters.set(name.toLowerCase(), quoted?.replace(/\\(.)/g, '$1') ?? bare ?? '');
      rest = rest.slice(text.length);
    }
    const realm = parameters.get('realm') ?? '';
    const kind = scheme[1]?.toLowerCase();
    if (kind === 'basic') challenges.push({ scheme: 'basic', realm });
    if (kind === 'bearer') {
      challenges.push({ scheme: 'bearer', realm, service: parameters.get('service') ?? '' });
    }
  }
}
