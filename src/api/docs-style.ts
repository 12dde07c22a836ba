/** How the page of the contract looks. */
import { createHash } from "node:crypto";

const css = `
:root{color-scheme:light dark;--ink:#1b2430;--paper:#fff;--faint:#5a6675;--line:#d8dee6;--accent:#0b5fae;--wash:#f3f6f9}
@media (prefers-color-scheme:dark){:root{--ink:#e6ebf1;--paper:#12171d;--faint:#a3afbd;--line:#2c3742;--accent:#7cbcff;--wash:#1b232c}}
*{box-sizing:border-box}
html{scroll-behavior:smooth;scroll-padding-top:1rem}
@media (prefers-reduced-motion:reduce){html{scroll-behavior:auto}}
body{margin:0;color:var(--ink);background:var(--paper);font:1rem/1.55 system-ui,sans-serif;overflow-wrap:anywhere}
a{color:var(--accent)}
a:focus-visible{outline:2px solid var(--accent);outline-offset:2px}
code{font:.9em/1.4 ui-monospace,monospace;background:var(--wash);padding:.1em .3em;border-radius:.25em}
small{color:var(--faint)}
nav,main{padding:1.5rem}
nav ul{list-style:none;margin:0;padding:0}
nav ul ul{padding-left:1rem;margin-bottom:.75rem}
main{max-width:56rem}
article{border-top:1px solid var(--line);padding:.5rem 0 1.5rem}
article:target{border-top-color:var(--accent)}
h2{margin-top:3rem;text-transform:capitalize}
h4{margin:1rem 0 .25rem}
dl{margin:0}
dt{margin-top:.5rem}
dd{margin:0 0 0 1.5rem;color:var(--faint)}
.line{display:flex;flex-wrap:wrap;gap:.75rem;align-items:center}
.role{border:1px solid var(--line);border-radius:1em;padding:0 .6em;font-size:.85em;color:var(--faint)}
@media (min-width:64rem){body{display:grid;grid-template-columns:19rem 1fr}nav{position:sticky;top:0;height:100vh;overflow:auto;border-right:1px solid var(--line)}}
`;

/** The style, and what a Content-Security-Policy calls it. */
export const docsStyle = { css, hash: `sha256-${createHash("sha256").update(css).digest("base64")}` } as const;
