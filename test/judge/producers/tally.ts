/** What the judge's clients are told, and what they answer. Types only: this file is mounted beside `client.ts`. */
export interface ClientSettings {
  readonly topic: string;
  readonly partitions: number;
  /** Replicas of each partition; three each, as the controller places them, where absent. */
  readonly assignment?: readonly (readonly number[])[];
  /** Of the topic; min.insync.replicas 2 where absent. */
  readonly configs?: Readonly<Record<string, string>>;
  /** Between two messages of one partition. */
  readonly intervalMs: number;
  /** Of the reading. */
  readonly group: string;
  /** Where the results and the stop file are. */
  readonly folder: string;
  /** Folder with the Secret of a KafkaUser: SASL_SSL; or with `ca.crt`, `tls.crt` and `tls.key`: mutual TLS. Plaintext where absent. */
  readonly secret?: string;
  /** `host:port,…`; the Secret's where absent. */
  readonly bootstrap?: string;
}

export interface Rejection {
  readonly value: string;
  readonly reason: string;
}

/** What a producer did. Every value is numbered and unique; one that was sent twice counts once. */
export interface Tally {
  readonly client: 'kafkajs' | 'java';
  readonly sent: number;
  /** Values that the cluster acknowledged. */
  readonly acknowledged: readonly string[];
  /** Values that the client gave up after all its retries. Whether they were written is not known. */
  readonly rejected: readonly Rejection[];
  /** The longest time of any partition without an acknowledgement; the sending interval is in it. */
  readonly longestGapMs: number;
  readonly longestGapAt: { readonly partition: number; readonly atMs: number };
}

/** What is in a topic, each value once. */
export interface Reading {
  readonly values: readonly string[];
  /** How many messages were there again: a producer that is not idempotent writes some twice. */
  readonly duplicates: number;
}
