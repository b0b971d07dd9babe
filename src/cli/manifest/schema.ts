import { Schema, type ScalarTag } from 'yaml';

/**
 * YAML as kubectl reads it (sigs.k8s.io/yaml, goyaml.v2 `resolve.go`): YAML 1.1 booleans (`yes`, `on`, `y`), octal
 * numbers with a leading zero, underscores in numbers and merge keys; but timestamps and base-60 numbers are strings.
 */

const nullTag: ScalarTag = {
  identify: (value) => value === null || value === undefined,
  default: true,
  tag: 'tag:yaml.org,2002:null',
  test: /^(?:~|[Nn]ull|NULL)?$/,
  resolve: () => null,
  stringify: () => 'null',
};

const boolTag: ScalarTag = {
  identify: (value) => typeof value === 'boolean',
  default: true,
  tag: 'tag:yaml.org,2002:bool',
  test: /^(?:[Yy]|[Yy]es|YES|[Tt]rue|TRUE|[Oo]n|ON|[Nn]|[Nn]o|NO|[Ff]alse|FALSE|[Oo]ff|OFF)$/,
  resolve: (text) => /^(?:[Yy]|[Tt]|[Oo][Nn])/.test(text),
  stringify: ({ value }) => String(value),
};

const radixes: Record<string, number> = { x: 16, o: 8, b: 2 };

/** Go's `strconv.ParseInt(text, 0, 64)` on a text that the pattern below has let through. */
const integer = (text: string): number => {
  const [, sign, digits = '0'] = /^([-+]?)(.*)$/.exec(text.replaceAll('_', '')) ?? [];
  const prefixed = /^0([xXoObB])(.+)$/.exec(digits);
  const magnitude = prefixed
    ? parseInt(prefixed[2] ?? '', radixes[(prefixed[1] ?? '').toLowerCase()])
    : parseInt(digits, /^0[0-7]+$/.test(digits) ? 8 : 10);
  return sign === '-' ? -magnitude : magnitude;
};

const intTag: ScalarTag = {
  identify: (value) => typeof value === 'number' && Number.isInteger(value),
  default: true,
  tag: 'tag:yaml.org,2002:int',
  // Decimal digits that begin with 0 and hold an 8 or 9 are a float to Go (`08` is 8): see below.
  test: /^[-+]?(?:0_*|0[_0-7]+|[1-9][_0-9]*|0[xX][_0-9a-fA-F]*[0-9a-fA-F]_*|0[oO][_0-7]*[0-7]_*|0[bB][_01]*[01]_*)$/,
  resolve: integer,
  stringify: ({ value }) => JSON.stringify(value),
};

const special: Record<string, number> = {
  '.inf': Infinity,
  '+.inf': Infinity,
  '-.inf': -Infinity,
  '.nan': NaN,
};

const floatTag: ScalarTag = {
  identify: (value) => typeof value === 'number',
  default: true,
  tag: 'tag:yaml.org,2002:float',
  test: /^(?:[-+]?(?:\.[0-9]+|[0-9][_0-9]*(?:\.[_0-9]*)?)(?:[eE][-+]?[0-9]+)?|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/,
  resolve: (text) => special[text.toLowerCase()] ?? Number(text.replaceAll('_', '')),
  stringify: ({ value }) => JSON.stringify(value),
};

const tags = [nullTag, boolTag, intTag, floatTag];

/** For reading. */
export const readSchema = new Schema({ schema: 'failsafe', customTags: tags, merge: true });

/** For writing: strings that any YAML 1.1 reader would take for something else are quoted as well. */
export const writeSchema = new Schema({
  schema: 'failsafe',
  customTags: tags,
  merge: true,
  compat: 'yaml-1.1',
});
