/** Says a sentence to screen readers, once. */

let clear: ReturnType<typeof setTimeout> | undefined;

export function announce(sentence: string): void {
  const region = document.getElementById("announcer");
  if (region === null) return;
  region.textContent = sentence;
  clearTimeout(clear);
  clear = setTimeout(() => (region.textContent = ""), 8_000);
}
