/** Bytes before a batch's length counts, and of a whole header of format 2 (Kafka 0.11). */
const lengthEnd = 12;
const headerBytes = 61;
const at = { length: 8, magic: 16, lastOffsetDelta: 23, recordCount: 57 };

/** Bytes and records of several record batches, as their headers say. */
export interface BatchTotals {
  readonly bytes: number;
  readonly records: number;
}

/**
 * Adds up record batches from their headers. Nothing is decompressed, and the last batch counts in full although a fetch
 * cuts it off, so long as its header is there. Records are counted, not offsets: compaction takes records out of a batch
 * and leaves its offsets, and a transaction's marker is a batch of one record. Reading ends at the first batch of an
 * older format, which says no count.
 */
export function addBatches(records: Buffer): BatchTotals {
  let bytes = 0;
  let count = 0;
  for (let start = 0; start + headerBytes <= records.length;) {
    const length = lengthEnd + records.readInt32BE(start + at.length);
    const magic = records.readInt8(start + at.magic);
    if (magic !== 2 || length < headerBytes) break;
    const kept = records.readInt32BE(start + at.recordCount);
    if (kept > 0) {
      bytes += length;
      count += kept;
    }
    start += length;
  }
  return { bytes, records: count };
}
