/**
 * How soon the engine compiles code that runs again. The binary begins with patience (build/compile.ts), because little
 * of what a start or a command runs is run often. Knows the engine's setting; nothing of what runs.
 */

/** From now on as soon as the engine does by itself: what runs now stays. Of this thread; others never wait. */
export function compileSoon(): void {
  Bun.unsafe.setJITPolicy(1);
}
