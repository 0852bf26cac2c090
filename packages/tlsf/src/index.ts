/**
 * A general heap of bounded time and little waste.
 *
 * @module @allokit/tlsf
 */
export { TLSF_REQUEST_SIZE_MAX, TLSF_SIZE_MIN } from './layout.ts';
export { Tlsf, type TlsfAttachOptions, type TlsfGrowth, type TlsfOptions, type TlsfStats } from './tlsf.ts';
