/** Whether a text is a host with or without a port and nothing else, as it stands in a URL. */
export function isUrlHost(text: string): boolean {
  if (text.length > 255 || /[/@?#\\\s]/.test(text) || !URL.canParse(`https://${text}`))
    return false;
  const { host } = new URL(`https://${text}`);
  return host === text || `${host}:443` === text;
}
