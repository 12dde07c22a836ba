/** What tells that a file may hold something new. */

/** The part of a `BigIntStats` that says so. */
interface FileStatus {
  readonly dev: bigint;
  readonly ino: bigint;
  readonly size: bigint;
  readonly mtimeNs: bigint;
  readonly ctimeNs: bigint;
}

/** Changes when the file does, or another takes its place; also where a symlink on the way is swapped, if `stat` followed it. */
export function toFileStamp({ dev, ino, size, mtimeNs, ctimeNs }: FileStatus): string {
  return [dev, ino, size, mtimeNs, ctimeNs].join(" ");
}
