/**
 * Whether this is the compiled binary. Knows where code lies in it.
 */

/** In the binary all code is one file, and the other entries lie around it as their sources do around main.ts. */
export const IS_COMPILED = /^(\/\$bunfs\/|[A-Z]:[\\/]~BUN)/i.test(import.meta.path);
