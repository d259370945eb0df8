/** A word as a shell reads it back. */
function shellWord(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

/** A script of sh that goes to a directory and becomes a command with an environment. */
export function commandScript(
  command: readonly string[],
  directory: string,
  environment: Readonly<Record<string, string>>,
): string {
  const variables = Object.entries(environment).map(
    ([name, value]) => `export ${name}=${shellWord(value)}`,
  );
  return [
    ...variables,
    `cd ${shellWord(directory)} || exit 125`,
    `exec ${command.map(shellWord).join(' ')}`,
    '',
  ].join('\n');
}
