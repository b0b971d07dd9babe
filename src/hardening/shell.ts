/** A word of a shell script: its text with quotes removed, and where it stands. */
export interface Word {
  text: string;
  start: number;
  end: number;
}

/** A here-document: what is written, and whether the shell leaves `$` in it alone. */
export interface HereDocument {
  body: string;
  literal: boolean;
}

/** A simple command: its words, redirections left out. */
export interface Command {
  words: Word[];
  /** Files that it writes to, as far as they are words. */
  outputs: string[];
  documents: HereDocument[];
}

/** Words after which another command begins. */
const keywords = new Set(['then', 'do', 'else', 'elif', 'if', 'while', 'until', '!', '{', '}', 'time']);

interface Scanner {
  readonly text: string;
  at: number;
  readonly commands: Command[];
  current: Command;
  /** Here-documents whose bodies begin behind this line. */
  pending: { delimiter: string; strip: boolean; document: HereDocument }[];
}

const newCommand = (): Command => ({ words: [], outputs: [], documents: [] });

/**
 * Splits a POSIX or bash script into its simple commands, in order; subshells and groups are entered, command substitutions
 * stay part of their word. Never throws: what is not closed ends with the script.
 */
export function commandsOf(text: string): Command[] {
  const scanner: Scanner = { text, at: 0, commands: [], current: newCommand(), pending: [] };
  while (scanner.at < text.length) step(scanner);
  endCommand(scanner);
  return scanner.commands;
}

function endCommand(s: Scanner): void {
  const { words, outputs, documents } = s.current;
  while (words[0] !== undefined && keywords.has(words[0].text)) words.shift();
  if (words.length > 0 || outputs.length > 0 || documents.length > 0) s.commands.push(s.current);
  s.current = newCommand();
}

function step(s: Scanner): void {
  const c = s.text.charAt(s.at);
  if (c === '\n') {
    endCommand(s);
    s.at++;
    readDocuments(s);
  } else if (c === '\\' && s.text.charAt(s.at + 1) === '\n') s.at += 2;
  else if (/\s/.test(c)) s.at++;
  else if (c === '#') s.at = endOfLine(s.text, s.at);
  else if (/[;&|()]/.test(c)) {
    endCommand(s);
    s.at++;
  } else if (!redirection(s)) word(s);
}

const endOfLine = (text: string, from: number): number => {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
};

/** Reads `>file`, `2>&1`, `<<EOF` and their like; false where none stands. */
function redirection(s: Scanner): boolean {
  const match = /^(\d*|&)(<<<|<<-|<<|<>|<&|>>|>&|>\||<|>)[ \t]*/.exec(s.text.slice(s.at, s.at + 80));
  if (match === null) return false;
  const [all, , operator = ''] = match;
  s.at += all.length;
  const target = readWord(s);
  if (operator === '<<' || operator === '<<-') {
    const raw = s.text.slice(target.start, target.end);
    const document = { body: '', literal: /['"\\]/.test(raw) };
    s.pending.push({ delimiter: target.text, strip: operator === '<<-', document });
    s.current.documents.push(document);
  } else if (operator.startsWith('>')) s.current.outputs.push(target.text);
  return true;
}

function readDocuments(s: Scanner): void {
  for (const { delimiter, strip, document } of s.pending) {
    const lines: string[] = [];
    while (s.at < s.text.length) {
      const end = endOfLine(s.text, s.at);
      const line = s.text.slice(s.at, end);
      s.at = Math.min(end + 1, s.text.length);
      if ((strip ? line.replace(/^\t+/, '') : line) === delimiter) break;
      lines.push(line);
    }
    document.body = lines.join('\n');
  }
  s.pending = [];
}

function word(s: Scanner): void {
  const read = readWord(s);
  if (read.end === read.start) s.at++;
  else s.current.words.push(read);
}

function readWord(s: Scanner): Word {
  const start = s.at;
  let text = '';
  while (s.at < s.text.length) {
    const c = s.text.charAt(s.at);
    if (/[\s;&|()<>]/.test(c)) break;
    text += part(s, c);
  }
  return { text, start, end: s.at };
}

/** One piece of a word: quoted, escaped, substituted, or a plain character. */
function part(s: Scanner, c: string): string {
  const { text } = s;
  if (c === "'") return quoted(s, text.indexOf("'", s.at + 1));
  if (c === '"') return quoted(s, endOfDouble(text, s.at + 1));
  if (c === '\\') {
    s.at += 2;
    const escaped = text.charAt(s.at - 1);
    return escaped === '\n' ? '' : escaped;
  }
  const end = c === '$' || c === '`' ? endOfSubstitution(text, s.at) : s.at + 1;
  const piece = text.slice(s.at, end);
  s.at = end;
  return piece;
}

function quoted(s: Scanner, close: number): string {
  const end = close < 0 ? s.text.length : close;
  const inner = s.text.slice(s.at + 1, end);
  s.at = end + 1;
  return inner;
}

/** What is open at a place of a word: a double quote, or a substitution with the brackets opened in it. */
type Open = { kind: 'double' } | { kind: 'substitution'; open: string; close: string; depth: number };

const closing: Record<string, string> = { '(': ')', '{': '}' };

/** The substitution that begins at a `$`; undefined where the `$` is one of `$NAME` or of nothing. */
function substitutionAt(text: string, dollar: number): Open | undefined {
  const open = text.charAt(dollar + 1);
  const close = closing[open];
  return close === undefined ? undefined : { kind: 'substitution', open, close, depth: 0 };
}

/** Behind the next `quote` from a place on, or the text's end. */
function behind(text: string, quote: string, from: number): number {
  const end = text.indexOf(quote, from);
  return end < 0 ? text.length : end + 1;
}

/**
 * Reads from `from` on until what is open is closed: the place behind it, or -1 where the text ends before. A stack and no
 * recursion: quotes and substitutions may stand in each other as deep as somebody likes.
 */
function endOf(text: string, from: number, first: Open): number {
  const stack = [first];
  for (let i = from; i < text.length;) {
    const now = stack.at(-1);
    if (now === undefined) return i;
    const c = text.charAt(i);
    if (isClosedBy(c, now)) {
      stack.pop();
      i++;
      if (stack.length === 0) return i;
    } else i = afterPiece(text, i, stack);
  }
  return -1;
}

function isClosedBy(c: string, now: Open): boolean {
  if (now.kind === 'double') return c === '"';
  if (c === now.open) now.depth++;
  return c === now.close && --now.depth === 0;
}

/** The place behind one piece of what is open; what it opens goes onto the stack. */
function afterPiece(text: string, i: number, stack: Open[]): number {
  const c = text.charAt(i);
  const isDouble = stack.at(-1)?.kind === 'double';
  if (c === '\\') return i + 2;
  if (isDouble && c === '`') return behind(text, '`', i + 1);
  if (isDouble && c === '$') {
    const opened = substitutionAt(text, i);
    if (opened !== undefined) stack.push(opened);
    return i + 1;
  }
  if (isDouble) return i + 1;
  if (c === "'") return behind(text, "'", i + 1);
  if (c === '"') stack.push({ kind: 'double' });
  return i + 1;
}

/** Where the double quote is that ends what begins at `from`; -1 where none does. */
function endOfDouble(text: string, from: number): number {
  const end = endOf(text, from, { kind: 'double' });
  return end < 0 ? -1 : end - 1;
}

/** Where `$(…)`, `${…}`, `$((…))` or a backquoted command that begins at `from` ends; quotes inside are honoured. */
function endOfSubstitution(text: string, from: number): number {
  if (text.charAt(from) === '`') return behind(text, '`', from + 1);
  const opened = substitutionAt(text, from);
  if (opened === undefined) return from + 1;
  const end = endOf(text, from + 1, opened);
  return end < 0 ? text.length : end;
}
