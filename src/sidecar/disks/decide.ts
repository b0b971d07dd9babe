/** What is known of one pod's disk. */
export interface PodDisk {
  readonly pod: string;
  /** UID of the pod's claim, if it is there, and whether it is bound to a volume. */
  readonly claim: { readonly uid: string; readonly bound: boolean } | undefined;
  /** UID of the claim on which this pod's node id was formatted, as recorded. */
  readonly recorded: string | undefined;
  /** The node of this pod runs on its claim: the pod is ready and its id is registered with the cluster, or votes. */
  readonly running: boolean;
  /** Scaled away, and no voter: its record goes with its claim. */
  readonly abandoned: boolean;
  /** A person has said that the empty disk is meant. */
  readonly confirmed: boolean;
  /** The launcher was told of that. */
  readonly toldConfirmed: boolean;
}

/** What to do with a pod's record. */
export type DiskAction =
  /** Record the claim; `clearConfirmation` where one had been asked for. */
  | { readonly pod: string; readonly action: 'record'; readonly claim: string }
  | { readonly pod: string; readonly action: 'forget' }
  | { readonly pod: string; readonly action: 'confirm' }
  | { readonly pod: string; readonly action: 'withdraw-confirmation' }
  | { readonly pod: string; readonly action: 'report-lost' };

/**
 * Decides over all pods of a cluster. An id that comes back on another claim, while others still stand on theirs, has
 * lost its disk: a voter that forgot its votes, or a last in-sync replica that forgot its data. Where none of the
 * recorded claims is left, the cluster is a new one and begins with no records.
 */
export function decideDisks(disks: readonly PodDisk[]): DiskAction[] {
  const anyIntact = disks.some(({ claim, recorded }) => recorded !== undefined && claim?.uid === recorded);
  return disks.flatMap((disk): DiskAction[] => {
    const { pod, claim, recorded } = disk;
    if (claim === undefined) {
      return disk.abandoned && recorded !== undefined ? [{ pod, action: 'forget' }] : [];
    }
    if (recorded === undefined) return mayRecord(disk) ? [{ pod, action: 'record', claim: claim.uid }] : [];
    if (recorded === claim.uid) return disk.toldConfirmed ? [{ pod, action: 'withdraw-confirmation' }] : [];
    if (!anyIntact) return [{ pod, action: 'forget' }];
    return lost(disk, claim.uid);
  });
}

const mayRecord = ({ running, claim }: PodDisk): boolean => running && claim?.bound === true;

function lost(disk: PodDisk, claim: string): DiskAction[] {
  const { pod } = disk;
  if (disk.confirmed || disk.toldConfirmed) {
    if (mayRecord(disk)) return [{ pod, action: 'record', claim }];
    return disk.toldConfirmed ? [] : [{ pod, action: 'confirm' }];
  }
  return [{ pod, action: 'report-lost' }];
}
