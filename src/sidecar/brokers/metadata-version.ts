/** Names of `metadata.version` levels (`MetadataVersion.java`); others are told by their number. */
const names: ReadonlyMap<number, string> = new Map([
  [15, '3.7-IV0'],
  [16, '3.7-IV1'],
  [17, '3.7-IV2'],
  [18, '3.7-IV3'],
  [19, '3.7-IV4'],
  [20, '3.8-IV0'],
  [21, '3.9-IV0'],
  [22, '4.0-IV0'],
  [23, '4.0-IV1'],
  [24, '4.0-IV2'],
  [25, '4.0-IV3'],
  [26, '4.1-IV0'],
  [27, '4.1-IV1'],
]);

export const metadataVersionName = (level: number): string => names.get(level) ?? `level ${level}`;
