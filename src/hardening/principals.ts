/**
 * Principals that may do everything on brokers and controllers: the nodes themselves and the warden. The names are the subjects of
 * `certs/names.ts` as Kafka's default mapping prints them (a test holds them together; loading the PKI here would cost each start
 * of the command line).
 */
export const superUsers = [
  'User:CN=kafka-node,O=kafka-warden',
  'User:CN=kafka-warden,O=kafka-warden',
] as const;
