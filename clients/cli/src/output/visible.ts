/** C0 and C1 control characters, DEL, and the marks that turn the direction of text around. */
// eslint-disable-next-line no-control-regex -- these are the characters in question
const invisible = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/**
 * Text of others (commands of images, names in archives) for a terminal: what could move the cursor,
 * retitle the window or hide a word is shown as `\u001b` in place of doing it.
 */
export function visible(text: string): string {
  return text.replaceAll(
    invisible,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
