/** Bytes that stand for themselves in a field (native/src/tree/entry_line.h). */
const PLAIN = /^[!-$&-<>-~]$/;

/** Writes a text as one field of a line: other bytes than printable ASCII become %XX. */
export function escapeField(text: string): string {
  let field = '';
  for (const byte of Buffer.from(text)) {
    const character = String.fromCharCode(byte);
    const hex = byte.toString(16).toUpperCase().padStart(2, '0');
    field += PLAIN.test(character) ? character : `%${hex}`;
  }
  return field;
}

/** Reads a field. Bytes that are not UTF-8 become U+FFFD: it is for people and for own texts. */
export function unescapeField(field: string): string {
  const bytes: number[] = [];
  for (let at = 0; at < field.length; at += 1) {
    if (field[at] === '%') {
      bytes.push(Number.parseInt(field.slice(at + 1, at + 3), 16));
      at += 2;
    } else {
      bytes.push(field.charCodeAt(at));
    }
  }
  return Buffer.from(bytes).toString();
}
