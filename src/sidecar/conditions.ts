/** A condition as Kubernetes objects carry it in their status. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason: string;
  readonly message: string;
  readonly lastTransitionTime: string;
  readonly observedGeneration?: number;
}

/** A condition before it is dated. */
export type Finding = Omit<Condition, 'lastTransitionTime'>;

/** Dates each condition: with its earlier time while its status is the same. Sorted by type. */
export function dated(
  findings: readonly Finding[],
  earlier: readonly Condition[] | undefined,
  now: Date,
): Condition[] {
  return [...findings]
    .sort((a, b) => (a.type < b.type ? -1 : 1))
    .map((finding) => {
      const before = earlier?.find(({ type }) => type === finding.type);
      const kept = before?.status === finding.status ? before.lastTransitionTime : undefined;
      return { ...finding, lastTransitionTime: kept ?? now.toISOString().replace(/\.\d+Z$/, 'Z') };
    });
}
