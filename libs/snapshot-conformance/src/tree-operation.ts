/** What a file is filled with: a text, or so many bytes that follow from a seed. */
export type Content = { readonly text: string } | { readonly seed: number; readonly size: number };

/** Kinds of nodes that mknod(2) makes. */
export type NodeType = 'fifo' | 'socket' | 'char' | 'block';

/**
 * One change to a tree, as data, so that the same can be done to several. Paths are relative to the
 * root; the empty one is the root itself. Bytes of a name that are no UTF-8 are written as lone
 * surrogates, \udc80 to \udcff.
 */
export type TreeOperation = { readonly path: string } & (
  | ({ readonly do: 'write' | 'append' } & Content)
  | ({ readonly do: 'patch'; readonly offset: number } & Content)
  | { readonly do: 'truncate'; readonly size: number }
  | { readonly do: 'unlink' }
  /** A directory with all in it, or anything else. */
  | { readonly do: 'remove' }
  | { readonly do: 'mkdir'; readonly mode: number }
  /** As mv(1): by copying where a file system refuses to rename a directory (EXDEV). */
  | { readonly do: 'rename' | 'link'; readonly to: string }
  | { readonly do: 'symlink'; readonly target: string }
  | { readonly do: 'chmod'; readonly mode: number }
  | { readonly do: 'chown'; readonly uid: number; readonly gid: number }
  /** Time of change, in nanoseconds since 1970, in decimal. */
  | { readonly do: 'utime'; readonly time: string }
  /** Value in hexadecimal. */
  | { readonly do: 'set-xattr'; readonly name: string; readonly value: string }
  | { readonly do: 'remove-xattr'; readonly name: string }
  | {
      readonly do: 'node';
      readonly type: NodeType;
      readonly mode: number;
      readonly major?: number;
      readonly minor?: number;
    }
  /** Reads a file to its end. */
  | { readonly do: 'read' }
  /** Writes up to so many bytes, each piece to the disk, and tells a `FillOutcome`. */
  | { readonly do: 'fill'; readonly size: number }
  /** Tells how many bytes of a file are in the page cache. */
  | { readonly do: 'resident' }
);

/** How far a `fill` came. */
export interface FillOutcome {
  readonly written: number;
  /** Name of the error that ended it, for example "EDQUOT"; empty if nothing did. */
  readonly error: string;
}

/** One entry of a tree, with all of it that a layer has to keep. */
export interface TreeLine {
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink' | NodeType;
  /** In octal. */
  readonly mode: string;
  readonly owner: string;
  /** Of files. */
  readonly size?: number;
  readonly mtime?: string;
  readonly data?: string;
  /** Of symbolic links. */
  readonly target?: string;
  /** Of devices. */
  readonly device?: string;
  /** First path of the same file. */
  readonly link?: string;
  /** Values in hexadecimal. */
  readonly xattrs?: Readonly<Record<string, string>>;
}
