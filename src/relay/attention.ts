/** How many messages are looked at beyond carrying them: to note what was seen, and who lives where. */

export interface Attention {
  /** Whether there is time for one more. */
  take(now: number): boolean;
}

/**
 * `perSecond` in the long run and `burst` at once. What a message tells that is new costs some times what carrying it
 * does, and a flood is full of news: it is carried, but not remembered.
 */
export function createAttention({ perSecond, burst }: { readonly perSecond: number; readonly burst: number }): Attention {
  let credit = burst;
  let at = 0;
  return {
    take(now) {
      credit = Math.min(burst, credit + (Math.max(0, now - at) * perSecond) / 1_000);
      at = now;
      if (credit < 1) return false;
      credit -= 1;
      return true;
    },
  };
}
