/**
 * Assets over HTTP, streamed into linear memory with one copy, and found again by every thread.
 *
 * @module @allokit/asset-registry
 */
export { AssetError, type AssetErrorCode, type AssetErrorOptions } from './asset-error.ts';
export { AssetRegistry, type AssetRegistryStats, type Revalidation } from './asset-registry.ts';
export { Asset, Pin, type AssetType } from './asset.ts';
export {
  ASSET_TYPES,
  type AssetMetadata,
  type AssetRegistryOptions,
  type AssetRegistryUse,
  type AssetRequest,
  type Fetch,
  type LoadOptions,
  type LoadProgress,
  type TierName,
} from './options.ts';
