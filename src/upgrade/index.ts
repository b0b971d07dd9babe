export { configurationFindings } from './configuration-check.ts';
export type { UpgradeFinding } from './finding.ts';
export {
  type Asked,
  type FinalizeDecision,
  type FinalizeFacts,
  type NodeSupport,
  decideEligibleLeaders,
  decideMetadataVersion,
} from './finalize.ts';
export { type Manifest, manifestOf, versionOfImage } from './manifest.ts';
export {
  elrFeature,
  levelOfName,
  metadataFeature,
  metadataVersionName,
  parseMetadataVersion,
  releaseOf,
} from './metadata-versions.ts';
export { type Preflight, type Running, blockedBy, preflight, staleFindings } from './preflight.ts';
