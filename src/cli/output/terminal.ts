import { styleText } from 'node:util';

export type Style = Parameters<typeof styleText>[0];

/** Where a command writes, and whether a person reads it there. */
export interface Terminal {
  out(text: string): void;
  err(text: string): void;
  /** Styles a text for one of the two streams; plain where it is no terminal or colours are off. */
  paint(stream: 'out' | 'err', style: Style, text: string): string;
  readonly colour: { readonly out: boolean; readonly err: boolean };
}

const colours = (stream: NodeJS.WriteStream): boolean =>
  process.env['NO_COLOR'] === undefined && process.env['FORCE_COLOR'] !== '0' && stream.isTTY;

/** The process's own streams. A reader that goes away (`| head`) ends the program quietly. */
export const terminal = (): Terminal => {
  const colour = { out: colours(process.stdout), err: colours(process.stderr) };
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  return {
    out: (text) => void process.stdout.write(text),
    err: (text) => void process.stderr.write(text),
    paint: (stream, style, text) =>
      colour[stream] ? styleText(style, text, { validateStream: false }) : text,
    colour,
  };
};
