const CONTROL_CHARACTERS = /\p{Cc}/u;

/**
 * True if the text has a control character: C0 (tab and line end too), DEL or C1 (Unicode category
 * Cc). Such text could end a line of a file, or a line of a terminal, early.
 */
export function hasControlCharacters(text: string): boolean {
  return CONTROL_CHARACTERS.test(text);
}
