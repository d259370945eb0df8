/** What is said to a registry to be let in. */
export type Credential =
  | { kind: 'password'; user: string; password: string }
  | { kind: 'identity token'; token: string }
  | { kind: 'registry token'; token: string };

/** Finds what to say to a registry, by its host with port as in image names. */
export type CredentialsOf = (registry: string) => Credential | undefined;

/** Value of the Authorization header for user and password (RFC 7617). */
export function basicAuthorization(user: string, password: string): string {
  return `Basic ${Buffer.from(`${user}:${password}`, 'utf8').toString('base64')}`;
}
