/** The parts of an image reference: `registry.corp:5000/mirror/apache/kafka:4.1.0@sha256:…`. */
export interface ImageReference {
  /** Path segments without the registry's host: `['mirror', 'apache', 'kafka']`. */
  path: string[];
  tag?: string;
  digest?: string;
}

/** Reads an image reference by Docker's rules: the first segment is a registry if it has a dot or a port, or is `localhost`. */
export function parseImage(image: string): ImageReference {
  const [name = '', digest] = image.split('@');
  const colon = name.lastIndexOf(':');
  const hasTag = colon > name.lastIndexOf('/');
  const segments = (hasTag ? name.slice(0, colon) : name).split('/');
  const first = segments[0] ?? '';
  if (segments.length > 1 && (first.includes('.') || first.includes(':') || first === 'localhost'))
    segments.shift();
  return {
    path: segments,
    ...(hasTag ? { tag: name.slice(colon + 1) } : {}),
    ...(digest === undefined ? {} : { digest }),
  };
}

/** `apache/kafka`, also behind a mirror's path (`proxy/dockerhub/apache/kafka`); `library/zookeeper` for `zookeeper`. */
export const repositoryOf = ({ path }: ImageReference): string =>
  path.length === 1 ? `library/${path[0] ?? ''}` : path.slice(-2).join('/');

/** Kafka's version as `[major, minor]`, from a tag such as `4.1.0` or `3.9.1-rc1`; undefined where it does not tell. */
export function versionOf(tag: string | undefined): [number, number] | undefined {
  // Kafka's own archives are named SCALA-KAFKA: 2.13-3.9.1.
  const own = (tag ?? '').replace(/^2\.1[0-3]-(?=\d)/, '');
  const match = /^v?(\d+)\.(\d+)(?:[.\-+_].*)?$/.exec(own);
  return match ? [Number(match[1]), Number(match[2])] : undefined;
}
