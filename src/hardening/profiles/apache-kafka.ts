/** What is particular to the apache/kafka image (docker/ in apache/kafka, the same from 3.7 to 4.x). */

export const family = 'apache-kafka';
/** The image's CMD. */
export const entrypoint = '/etc/kafka/docker/run';
/** Where the image looks for a mounted `server.properties`, which it copies before it appends the environment. */
export const mountedDirectory = '/mnt/shared/config';
/** Where it writes the final file: must stay writable. */
export const finalDirectory = '/opt/kafka/config';
export const oldest: [number, number] = [3, 7];
export const newestMajor = 4;

/** Profile versions that can be pinned; the last is what new sets get. A published one never changes. */
export const versions = [1, 2] as const;
export const newest = 2;

export const pinOf = (version: number) => `${family}/${version}`;

/** The version of a pin such as `apache-kafka/2`; undefined where it is not one of ours. */
export function versionOfPin(pin: string | undefined): number | undefined {
  const [name, version] = (pin ?? '').split('/');
  const number = Number(version);
  return name === family && versions.some((v) => v === number) ? number : undefined;
}
