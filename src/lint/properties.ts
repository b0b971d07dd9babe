/** An entry of a properties file; lines count from 1. */
export interface Property {
  key: string;
  value: string;
  line: number;
}

const entry = /^\s*((?:[^\s=:\\]|\\.)+)\s*(?:[=:]\s*|\s+|$)(.*)$/s;

/** True where an odd number of backslashes ends the line. */
function isContinued(line: string): boolean {
  let end = line.length;
  while (line.charAt(end - 1) === '\\') end--;
  return (line.length - end) % 2 === 1;
}

/** Reads a Java properties file as far as Kafka's own files use it: comments, continued lines, `=`, `:` or a blank between. */
export function parseProperties(text: string): Property[] {
  const found: Property[] = [];
  const lines = text.split(/\r?\n/);
  for (let i = 0; i < lines.length; i++) {
    const first = i;
    let line = lines[i] ?? '';
    if (/^\s*([#!]|$)/.test(line)) continue;
    const parts: string[] = [];
    for (; isContinued(line) && i + 1 < lines.length; line = (lines[++i] ?? '').trimStart())
      parts.push(line.slice(0, -1));
    const [, key, value = ''] = entry.exec([...parts, line].join('')) ?? [];
    if (key !== undefined) found.push({ key, value: value.trimEnd(), line: first + 1 });
  }
  return found;
}

const brokerKeys =
  /^(log\.dirs?|broker\.id|node\.id|process\.roles|zookeeper\.connect|listeners|advertised\.listeners|controller\.quorum\.voters)$/;

/** True for a file that configures a broker: not a client's, not log4j's. */
export const isBrokerFile = (properties: readonly Property[]): boolean =>
  properties.some(({ key }) => brokerKeys.test(key));
