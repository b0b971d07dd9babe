import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import {
  levelOfName,
  metadataLevels,
  metadataVersionName,
  newestLevelOf,
  parseMetadataVersion,
  releaseOf,
  supportedBy,
} from './metadata-versions.ts';

test('levels have the names that Kafka gives them', () => {
  const known: [number, string][] = [
    [1, '3.0-IV1'],
    [7, '3.3-IV3'],
    [15, '3.7-IV0'],
    [19, '3.7-IV4'],
    [21, '3.9-IV0'],
    [23, '4.0-IV1'],
    [25, '4.0-IV3'],
    [27, '4.1-IV1'],
    [30, '4.3-IV0'],
  ];
  for (const [level, name] of known) assert.equal(metadataVersionName(level), name);
});

test('a name, a release and a level are read, and anything else is not', () => {
  assert.deepEqual(parseMetadataVersion('4.1'), { level: 27, name: '4.1-IV1' });
  assert.deepEqual(parseMetadataVersion(' 4.1.0 '), { level: 27, name: '4.1-IV1' });
  assert.deepEqual(parseMetadataVersion('4.1-iv0'), { level: 26, name: '4.1-IV0' });
  assert.deepEqual(parseMetadataVersion('26'), { level: 26, name: '4.1-IV0' });
  assert.deepEqual(parseMetadataVersion('40'), { level: 40, name: 'level 40' });
  for (const text of ['', '0', '-1', '9.9', '4.1-IV9', 'latest', '4', '4.']) {
    const expected = text === '4' ? { level: 4, name: '3.3-IV0' } : undefined;
    assert.deepEqual(parseMetadataVersion(text), expected, text);
  }
});

test('names, levels and releases are told back and forth', () => {
  fc.assert(
    fc.property(fc.constantFrom(...metadataLevels), ({ level, name, release }) => {
      assert.equal(levelOfName(name), level);
      assert.equal(parseMetadataVersion(name)?.level, level);
      assert.deepEqual(releaseOf(level), release);
      assert.ok((newestLevelOf(release) ?? 0) >= level);
      assert.equal(supportedBy(release, 'metadata.version')?.max, newestLevelOf(release));
    }),
  );
  assert.equal(levelOfName('level 40'), 40);
  assert.deepEqual(releaseOf(40), [4, 4]);
});

test('Kafka 4 reads no metadata before 3.3-IV3, and 3.9 knows no eligible leader replicas', () => {
  assert.deepEqual(supportedBy([4, 1], 'metadata.version'), { min: 7, max: 27 });
  assert.deepEqual(supportedBy([3, 9], 'metadata.version'), { min: 1, max: 21 });
  assert.deepEqual(supportedBy([3, 9], 'eligible.leader.replicas.version'), { min: 0, max: 0 });
  assert.deepEqual(supportedBy([4, 2], 'group.version'), { min: 0, max: 1 });
  assert.equal(supportedBy([4, 1], 'streams.version'), undefined);
  assert.equal(supportedBy([5, 0], 'metadata.version'), undefined);
});
