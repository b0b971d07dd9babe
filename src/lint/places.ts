/**
 * Rules that look at a broker name places below its container. What a ConfigMap says of the broker lies elsewhere: such a place is
 * written as the number of the subject and the pointer in it, and read back when the rule has spoken.
 */
const pattern = /^.*@(\d+)(\/.*)?$/;

/** A place in another object, to stand where a pointer below the container is expected. */
export const elsewhere = (subject: number, pointer: string): string => `@${subject}${pointer}`;

/** The other object that a pointer names, and the pointer in it; undefined where it names a place in the workload itself. */
export function placeElsewhere(pointer: string): { subject: number; path: string } | undefined {
  const match = pattern.exec(pointer);
  return match === null ? undefined : { subject: Number(match[1]), path: match[2] ?? '' };
}
