/**
 * A directory without the slashes at its end. Not by a regular expression: one that looks for `/+$` begins anew at every slash, and
 * the time that a path of slashes takes grows by the square of its length.
 */
export function withoutSlash(directory: string): string {
  let end = directory.length;
  while (directory.charAt(end - 1) === '/') end--;
  return directory.slice(0, end);
}

/** True for a path that is a directory, or lies in it. */
export const liesIn = (path: string, directory: string): boolean =>
  `${path}/`.startsWith(`${withoutSlash(directory)}/`);
