/** One entry of `listeners` or `advertised.listeners`. */
export interface Listener {
  name: string;
  host: string;
  port: number;
}

/**
 * No list of listeners or voters is longer. One that is cannot be read: what looks into their hosts may take the square of the
 * length.
 */
export const longestList = 8_192;

/** Reads Kafka's listener list; undefined where an entry is none (`$(POD)` in the host is fine). */
export function parseListeners(text: string): Listener[] | undefined {
  if (text.length > longestList) return undefined;
  const found: Listener[] = [];
  for (const entry of text.split(',').map((e) => e.trim())) {
    if (entry === '') continue;
    const match = /^([A-Za-z0-9_]+):\/\/(.*):(\d+)$/.exec(entry);
    if (!match) return undefined;
    const [, name = '', host = '', port = ''] = match;
    found.push({ name, host, port: Number(port) });
  }
  return found;
}

/** Reads `listener.security.protocol.map`. */
export const parseProtocolMap = (text: string) =>
  new Map(text.split(',').map((e) => e.trim().split(':') as [string, string]));

/** One entry of `controller.quorum.voters`. */
export interface Voter {
  id: number;
  host: string;
  port: number;
}

/** Reads `controller.quorum.voters`; undefined where an entry is not `ID@HOST:PORT`. */
export function parseVoters(text: string): Voter[] | undefined {
  if (text.length > longestList) return undefined;
  const voters: Voter[] = [];
  for (const entry of text.split(',').map((e) => e.trim())) {
    const match = /^(\d+)@(.+):(\d+)$/.exec(entry);
    if (!match) return undefined;
    const [, id = '', host = '', port = ''] = match;
    voters.push({ id: Number(id), host, port: Number(port) });
  }
  return voters;
}
