import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { CliError } from '../errors.ts';

/** A text to work on and the name under which messages speak of it. */
export interface Source {
  readonly name: string;
  readonly text: string;
  /** Found in a directory, not named. */
  readonly isFound?: boolean;
}

const messages: Record<string, string> = {
  ENOENT: 'there is no such file',
  EACCES: 'no permission to read it',
  EISDIR: 'it is a directory',
  ELOOP: 'its symbolic links form a loop',
};

const unreadable = (name: string, error: unknown): CliError => {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return new CliError('unreadable-file', `cannot be read: ${messages[code] ?? code}.`, { file: name });
};

const lineOfFirstBadByte = (bytes: Uint8Array): number => {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  let line = 1;
  for (let start = 0; start < bytes.length; line++) {
    const next = bytes.indexOf(10, start);
    const end = next < 0 ? bytes.length : next + 1;
    try {
      decoder.decode(bytes.subarray(start, end));
    } catch {
      return line;
    }
    start = end;
  }
  return line;
};

const isUtf16 = (bytes: Uint8Array): boolean =>
  (bytes[0] === 0xff && bytes[1] === 0xfe) || (bytes[0] === 0xfe && bytes[1] === 0xff);

/** Decodes UTF-8, its byte order mark kept. Throws `not-text` with the line of the first byte that is none. */
export const decode = (name: string, bytes: Uint8Array): string => {
  if (isUtf16(bytes)) throw new CliError('not-text', 'it is UTF-16; save it as UTF-8.', { file: name });
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    const line = lineOfFirstBadByte(bytes);
    throw new CliError('not-text', 'a byte is not UTF-8; save the file as UTF-8.', { file: name, line });
  }
};

const readFile = (name: string): Source => {
  try {
    return { name, text: decode(name, readFileSync(name)) };
  } catch (error) {
    throw error instanceof CliError ? error : unreadable(name, error);
  }
};

const readStdin = (): Source => {
  const name = 'standard input';
  try {
    return { name, text: decode(name, readFileSync(0)) };
  } catch (error) {
    throw error instanceof CliError ? error : unreadable(name, error);
  }
};

/** How directories are read. */
export interface ReadOptions {
  /** Into their subdirectories too. */
  readonly recursive?: boolean | undefined;
}

/** Files in order of their names. As in kubectl, a link to a directory is not followed: it could lead back. */
const filesIn = (path: string, recursive: boolean): string[] =>
  readdirSync(path, { withFileTypes: true })
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const inner = join(path, entry.name);
      if (entry.isDirectory()) return recursive ? filesIn(inner, recursive) : [];
      return /\.(ya?ml|json)$/.test(entry.name) && statSync(inner).isFile() ? [inner] : [];
    });

/** The manifests of a directory, as `kubectl apply -f` takes them: those of its subdirectories only where that is asked. */
const readDirectory = (path: string, recursive: boolean): Source[] => {
  const files = filesIn(path, recursive);
  const hint = recursive ? '.' : '; -R looks into its subdirectories too.';
  if (files.length === 0)
    throw new CliError('no-input', `the directory holds no .yaml, .yml or .json file${hint}`, { file: path });
  return files.map((file) => ({ ...readFile(file), isFound: true }));
};

const isDirectory = (path: string): boolean => {
  try {
    return statSync(path).isDirectory();
  } catch (error) {
    throw unreadable(path, error);
  }
};

/** Reads what `-f` names: files, directories, `-` for standard input. Throws `CliError` for what cannot be read. */
export const readSources = (names: readonly string[], { recursive = false }: ReadOptions = {}): Source[] => {
  if (names.length === 0)
    throw new CliError('no-input', 'Name a manifest with -f FILE, or -f - for standard input.');
  if (names.filter((name) => name === '-').length > 1)
    throw new CliError('no-input', 'Standard input (-f -) can be read only once.');
  return names.flatMap((name) => {
    if (name === '-') return [readStdin()];
    return isDirectory(name) ? readDirectory(name, recursive) : [readFile(name)];
  });
};
